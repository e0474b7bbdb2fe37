#include "operators.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace bantam::bench {
namespace {

constexpr size_t kSlack = XNN_EXTRA_BYTES / sizeof(float) + 64;

void require(xnn_status status, const char* what) {
  if (status == xnn_status_success) return;
  std::fprintf(stderr, "sparsity_bench: XNNPACK refuses: %s\n", what);
  std::exit(1);
}

}  // namespace

void Operator::fill(const Conv& conv, double sparsity) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  const size_t out = conv.out_size();
  input_.resize(conv.size * conv.size * conv.in + kSlack);
  output_.resize(out * out * conv.out + kSlack);
  weights_.resize(conv.out * conv.kernel * conv.kernel * (conv.depthwise ? 1 : conv.in) + kSlack);
  bias_.assign(conv.out + kSlack, 0.1f);
  for (float& x : input_) x = uniform(random);
  for (float& w : weights_) w = std::fabs(uniform(random)) < static_cast<float>(sparsity) ? 0.0f : uniform(random);
}

void Operator::make_channels_last(const Conv& conv, double sparsity) {
  fill(conv, sparsity);
  const auto pad = static_cast<uint32_t>(conv.kernel / 2), kernel = static_cast<uint32_t>(conv.kernel),
             stride = static_cast<uint32_t>(conv.stride);
  const size_t groups = conv.depthwise ? conv.in : 1;
  require(xnn_create_convolution2d_nhwc_f32(pad, pad, pad, pad, kernel, kernel, stride, stride, 1, 1,
                                            static_cast<uint32_t>(groups), conv.in / groups, conv.out / groups,
                                            conv.in, conv.out, weights_.data(), bias_.data(), 0.0f, 6.0f, 0,
                                            nullptr, nullptr, &operator_),
          "a convolution, channels last");
  size_t workspace = 0, alignment = 0, height = 0, width = 0;
  require(xnn_reshape_convolution2d_nhwc_f32(operator_, 1, conv.size, conv.size, &workspace, &alignment, &height,
                                             &width, nullptr),
          "its shape");
  workspace_.resize(workspace / sizeof(float) + kSlack);
  require(xnn_setup_convolution2d_nhwc_f32(operator_, workspace_.data(), input_.data(), output_.data()),
          "its data");
}

void Operator::make_channels_first(const Conv& conv, double sparsity) {
  fill(conv, sparsity);
  const auto pad = static_cast<uint32_t>(conv.kernel / 2), kernel = static_cast<uint32_t>(conv.kernel),
             stride = static_cast<uint32_t>(conv.stride);
  const size_t groups = conv.depthwise ? conv.in : 1;
  require(xnn_create_convolution2d_nchw_f32(pad, pad, pad, pad, kernel, kernel, stride, stride, 1, 1,
                                            static_cast<uint32_t>(groups), conv.in / groups, conv.out / groups,
                                            conv.in, conv.out, weights_.data(), bias_.data(), 0.0f, 6.0f, 0,
                                            nullptr, nullptr, &operator_),
          "a convolution, channels first");
  size_t height = 0, width = 0;
  require(xnn_reshape_convolution2d_nchw_f32(operator_, 1, conv.size, conv.size, &height, &width, nullptr),
          "its shape");
  require(xnn_setup_convolution2d_nchw_f32(operator_, input_.data(), output_.data()), "its data");
}

void Operator::make_transpose(size_t pixels, size_t channels, bool to_channels_first) {
  input_.assign(pixels * channels + kSlack, 1.0f);
  output_.assign(pixels * channels + kSlack, 0.0f);
  const size_t shape[] = {to_channels_first ? pixels : channels, to_channels_first ? channels : pixels};
  const size_t order[] = {1, 0};
  require(xnn_create_transpose_nd_x32(0, &operator_), "a transposition");
  require(xnn_reshape_transpose_nd_x32(operator_, 2, shape, order, nullptr), "its shape");
  require(xnn_setup_transpose_nd_x32(operator_, input_.data(), output_.data()), "its data");
}

void Operator::run() const { require(xnn_run_operator(operator_, nullptr), "to run"); }

}  // namespace bantam::bench
