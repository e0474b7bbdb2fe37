#include "conv_case.h"

#include <xnnpack.h>

#include <algorithm>

#include "reference.h"

namespace bantam::test {

namespace {

constexpr float kXScale = 0.047f, kYScale = 0.061f;
constexpr int32_t kXZero = -13, kYZero = 5;
constexpr int8_t kMin = -120, kMax = 115;

int32_t out_size(int32_t size, int32_t pads, int32_t kernel, const ConvCase& c) {
  return (size + pads - (kernel - 1) * c.dilation - 1) / c.stride + 1;
}

uint32_t u(int32_t value) { return static_cast<uint32_t>(value); }

}  // namespace

Conv::Conv(const ConvCase& c)
    : case_(c),
      out_height_(out_size(c.height, c.pad_top + c.pad_bottom, c.kernel_h, c)),
      out_width_(out_size(c.width, c.pad_left + c.pad_right, c.kernel_w, c)),
      x_(int8_tensor({c.batch, c.height, c.width, c.in_channels}, kXScale, kXZero, c.in_channels + c.x_gap)),
      w_(int8_tensor({c.out_channels, c.kernel_h, c.kernel_w, c.in_channels / c.groups})),
      bias_(plan::DType::kInt32, {c.out_channels}),
      y_(int8_tensor({c.batch, out_height_, out_width_, c.out_channels}, kYScale, kYZero,
                     c.out_channels + c.y_gap)) {
  randomize(x_, 1);
  randomize(w_.constant(), 2);
  bias_.constant();
  std::mt19937 random(3);
  w_.scales.clear();
  for (int32_t i = 0; i < c.out_channels; ++i) {
    bias_.data<int32_t>()[i] = static_cast<int32_t>(random() % 40001) - 20000;
    w_.scales.push_back(0.00002f * static_cast<float>(1 + random() % 400));
  }
  for (int64_t i = 0; i < w_.info.elements; ++i) {
    w_.data<int8_t>()[i] = std::max<int8_t>(w_.data<int8_t>()[i], -127);
  }
  w_.info.scale_count = c.out_channels;
}

OneOp Conv::op() {
  OneOp op(plan::OpCode::kConv2d, {&x_, &w_, case_.bias ? &bias_ : nullptr}, {&y_});
  plan::Conv2dT conv;
  conv.stride_h = conv.stride_w = case_.stride;
  conv.dilation_h = conv.dilation_w = case_.dilation;
  conv.pad_top = case_.pad_top;
  conv.pad_bottom = case_.pad_bottom;
  conv.pad_left = case_.pad_left;
  conv.pad_right = case_.pad_right;
  conv.groups = case_.groups;
  conv.clamp = std::make_unique<plan::Clamp>(0.0f, 0.0f, kMin, kMax);
  op.op.attributes.Set(std::move(conv));
  return op;
}

int32_t Conv::sum(int32_t n, int32_t oy, int32_t ox, int32_t channel) const {
  const ConvCase& c = case_;
  const int32_t depth = c.in_channels / c.groups, first = channel / (c.out_channels / c.groups) * depth;
  int32_t sum = c.bias ? bias_.data<int32_t>()[channel] : 0;
  const int8_t* w = w_.data<int8_t>() + channel * c.kernel_h * c.kernel_w * depth;
  for (int32_t tap = 0; tap < c.kernel_h * c.kernel_w; ++tap, w += depth) {
    const int32_t iy = oy * c.stride - c.pad_top + tap / c.kernel_w * c.dilation,
                  ix = ox * c.stride - c.pad_left + tap % c.kernel_w * c.dilation;
    if (iy < 0 || iy >= c.height || ix < 0 || ix >= c.width) continue;
    const int8_t* x = x_.data<int8_t>() + ((n * c.height + iy) * c.width + ix) * x_.info.pixel_stride + first;
    for (int32_t i = 0; i < depth; ++i) sum += (x[i] - kXZero) * w[i];
  }
  return sum;
}

std::vector<int8_t> Conv::naive() const {
  std::vector<int8_t> out;
  for (int32_t n = 0; n < case_.batch; ++n) {
    for (int32_t oy = 0; oy < out_height_; ++oy) {
      for (int32_t ox = 0; ox < out_width_; ++ox) {
        for (int32_t channel = 0; channel < case_.out_channels; ++channel) {
          const float scale = kXScale * w_.scales[static_cast<size_t>(channel)] / kYScale;
          out.push_back(requantize(sum(n, oy, ox, channel), scale, kYZero, kMin, kMax));
        }
      }
    }
  }
  return out;
}

std::vector<int8_t> Conv::xnnpack() const {
  const ConvCase& c = case_;
  xnn_operator_t op = nullptr;
  REQUIRE(xnn_initialize(nullptr) == xnn_status_success);
  REQUIRE(xnn_create_convolution2d_nhwc_qs8_qc8w(
              u(c.pad_top), u(c.pad_right), u(c.pad_bottom), u(c.pad_left), u(c.kernel_h), u(c.kernel_w),
              u(c.stride), u(c.stride), u(c.dilation), u(c.dilation), u(c.groups),
              u(c.in_channels / c.groups), u(c.out_channels / c.groups),
              static_cast<size_t>(x_.info.pixel_stride), u(c.out_channels), kXZero, kXScale, w_.scales.data(),
              w_.data<int8_t>(), c.bias ? bias_.data<int32_t>() : nullptr, kYZero, kYScale, kMin, kMax, 0,
              nullptr, nullptr, &op) == xnn_status_success);
  size_t workspace = 0, alignment = 0;
  REQUIRE(xnn_reshape_convolution2d_nhwc_qs8_qc8w(op, u(c.batch), u(c.height), u(c.width), &workspace,
                                                  &alignment, nullptr, nullptr,
                                                  nullptr) == xnn_status_success);
  std::vector<int8_t> out(static_cast<size_t>(y_.info.elements) + kReadPadding);
  std::vector<uint8_t> scratch(workspace + 1);
  REQUIRE(xnn_setup_convolution2d_nhwc_qs8_qc8w(op, scratch.data(), x_.data<int8_t>(), out.data()) ==
          xnn_status_success);
  REQUIRE(xnn_run_operator(op, nullptr) == xnn_status_success);
  xnn_delete_operator(op);
  out.resize(static_cast<size_t>(y_.info.elements));
  return out;
}

void check_conv(const ConvCase& c, Factory factory) {
  INFO(c.batch << " x " << c.height << " x " << c.width << " x " << c.in_channels << " to " << c.out_channels
               << ", kernel " << c.kernel_h << " x " << c.kernel_w << ", stride " << c.stride);
  Conv conv(c);
  OneOp op = conv.op();
  const std::vector<int8_t> expected = conv.naive();
  REQUIRE(conv.xnnpack() == expected);
  for_each_target([&] {
    std::unique_ptr<Kernel> kernel;
    if (op.create(factory, kernel).code() == StatusCode::kUnsupported) return;
    check_run(op, factory, expected, nullptr);
    check_run(op, factory, expected, shared_threads());
  });
}

}  // namespace bantam::test
