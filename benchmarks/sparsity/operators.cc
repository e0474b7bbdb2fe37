#include "operators.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "vector/sparse_rows.h"

#if defined(__x86_64__)
// Not in its header.
extern "C" void xnn_f32_spmm_minmax_ukernel_32x1__sse(size_t pixel_bytes, size_t channels, const float* input,
                                                      const float* weights, const int32_t* steps,
                                                      const uint32_t* counts, float* output,
                                                      size_t output_stride, const float* limits);
#endif

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
  for (float& w : weights_)
    w = std::fabs(uniform(random)) < static_cast<float>(sparsity) ? 0.0f : uniform(random);
}

void Operator::make_channels_last(const Conv& conv) {
  fill(conv, 0);
  const auto pad = static_cast<uint32_t>(conv.kernel / 2), kernel = static_cast<uint32_t>(conv.kernel),
             stride = static_cast<uint32_t>(conv.stride);
  const size_t groups = conv.depthwise ? conv.in : 1;
  require(xnn_create_convolution2d_nhwc_f32(pad, pad, pad, pad, kernel, kernel, stride, stride, 1, 1,
                                            static_cast<uint32_t>(groups), conv.in / groups,
                                            conv.out / groups, conv.in, conv.out, weights_.data(),
                                            bias_.data(), 0.0f, 6.0f, 0, nullptr, nullptr, &operator_),
          "a convolution, channels last");
  size_t workspace = 0, alignment = 0, height = 0, width = 0;
  require(xnn_reshape_convolution2d_nhwc_f32(operator_, 1, conv.size, conv.size, &workspace, &alignment,
                                             &height, &width, nullptr),
          "its shape");
  workspace_.resize(workspace / sizeof(float) + kSlack);
  require(xnn_setup_convolution2d_nhwc_f32(operator_, workspace_.data(), input_.data(), output_.data()),
          "its data");
}

bool Operator::make_channels_first(const Conv& conv, double sparsity) {
  fill(conv, sparsity);
  const auto pad = static_cast<uint32_t>(conv.kernel / 2), kernel = static_cast<uint32_t>(conv.kernel),
             stride = static_cast<uint32_t>(conv.stride);
  const size_t groups = conv.depthwise ? conv.in : 1;
  const xnn_status status = xnn_create_convolution2d_nchw_f32(
      pad, pad, pad, pad, kernel, kernel, stride, stride, 1, 1, static_cast<uint32_t>(groups),
      conv.in / groups, conv.out / groups, conv.in, conv.out, weights_.data(), bias_.data(), 0.0f, 6.0f, 0,
      nullptr, nullptr, &operator_);
  if (status != xnn_status_success) {
    operator_ = nullptr;
    return !conv.depthwise && make_microkernel(conv);
  }
  size_t height = 0, width = 0;
  require(xnn_reshape_convolution2d_nchw_f32(operator_, 1, conv.size, conv.size, &height, &width, nullptr),
          "its shape");
  require(xnn_setup_convolution2d_nchw_f32(operator_, input_.data(), output_.data()), "its data");
  return true;
}

// Weights in order, each with the step in bytes from its input channel to the next one's.
bool Operator::make_microkernel(const Conv& conv) {
#if defined(__x86_64__)
  const size_t pixels = conv.size * conv.size;
  const auto plane = static_cast<int32_t>(pixels * sizeof(float));
  int32_t first = -1, last = 0;
  for (size_t o = 0; o < conv.out; ++o) {
    packed_.push_back(bias_[o]);
    counts_.push_back(0);
    for (size_t k = 0; k < conv.in; ++k) {
      if (weights_[o * conv.in + k] == 0) continue;
      packed_.push_back(weights_[o * conv.in + k]);
      ++counts_.back();
      if (first < 0)
        first = static_cast<int32_t>(k);
      else
        steps_.push_back((static_cast<int32_t>(k) - last) * plane);
      last = static_cast<int32_t>(k);
    }
  }
  if (first < 0) return false;
  steps_.push_back((first - last) * plane);
  const float* from = input_.data() + static_cast<size_t>(first) * pixels;
  direct_ = [=, this, limits = std::vector<float>{0.0f, 6.0f, 0.0f, 0.0f}] {
    xnn_f32_spmm_minmax_ukernel_32x1__sse(pixels * sizeof(float), counts_.size(), from, packed_.data(),
                                          steps_.data(), counts_.data(), output_.data(),
                                          pixels * sizeof(float), limits.data());
  };
  return true;
#else
  static_cast<void>(conv);
  return false;
#endif
}

bool Operator::make_own(const Conv& conv, double sparsity) {
  using namespace bantam::kernels;
  fill(conv, sparsity);
  const auto pixels = static_cast<int64_t>(conv.size * conv.size), depth = static_cast<int64_t>(conv.in);
  const int64_t tile = depth >= 256 || pixels < kSparseTile ? kSmallSparseTile : kSparseTile;
  const SparseRows rows = sparse_rows(tile);
  if (rows == nullptr || pixels < tile) return false;
  std::vector<SparseWeight> packed;
  for (size_t o = 0; o < conv.out; ++o) {
    const size_t at = packed.size();
    packed.push_back({bias_[o], 0});
    for (size_t k = 0; k < conv.in; ++k) {
      const float weight = weights_[o * conv.in + k];
      if (weight == 0) continue;
      packed.push_back({weight, static_cast<int32_t>(static_cast<int64_t>(k) * tile)});
      ++packed[at].source;  // SparseChannel::count lies there
    }
  }
  const std::shared_ptr<float> scratch(
      static_cast<float*>(std::aligned_alloc(64, (conv.in + 4) * 64 * sizeof(float))), &std::free);
  const SparseProduct product{depth, static_cast<int64_t>(conv.out), depth, static_cast<int64_t>(conv.out), 0,
                              6};
  direct_ = [=, this, packed = std::move(packed)] {
    rows(product, input_.data(), reinterpret_cast<const SparseChannel*>(packed.data()), output_.data(),
         pixels, scratch.get());
  };
  return true;
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

void Operator::run() const {
  if (direct_) return direct_();
  require(xnn_run_operator(operator_, nullptr), "to run");
}

}  // namespace bantam::bench
