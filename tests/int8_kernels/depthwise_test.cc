#include "conv_case.h"
#include "int8/int8_kernels.h"

namespace bantam::test {
namespace {

struct Case {
  int32_t batch, height, width, channels, kernel, stride;
  int32_t pad_top, pad_bottom, pad_left, pad_right;
  int32_t x_gap = 0, y_gap = 0;
  bool bias = true;

  ConvCase conv() const {
    return {.batch = batch,
            .height = height,
            .width = width,
            .in_channels = channels,
            .out_channels = channels,
            .kernel_h = kernel,
            .kernel_w = kernel,
            .stride = stride,
            .pad_top = pad_top,
            .pad_bottom = pad_bottom,
            .pad_left = pad_left,
            .pad_right = pad_right,
            .groups = channels,
            .x_gap = x_gap,
            .y_gap = y_gap,
            .bias = bias};
  }
};

constexpr Case kPlain = {1, 8, 8, 16, 3, 1, 1, 1, 1, 1};

void check(const Case& c) { check_conv(c.conv(), kernels::create_int8_depthwise); }

TEST_CASE("int8 depthwise: x86 has kernels of our own") {
#if defined(__x86_64__)
  Conv depthwise(kPlain.conv());
  OneOp op = depthwise.op();
  std::unique_ptr<Kernel> kernel;
  CHECK(op.create(kernels::create_int8_depthwise, kernel).ok());
#endif
}

TEST_CASE("int8 depthwise: channels") {
  for (const int32_t kernel : {3, 5}) {
    for (const int32_t stride : {1, 2}) {
      for (const int32_t channels : {1, 3, 8, 9, 16, 17, 24, 32, 40, 48, 63, 64, 65, 96, 144, 300}) {
        const int32_t pad = kernel / 2;
        check({1, 10, 11, channels, kernel, stride, pad, pad, pad, pad});
      }
    }
  }
}

TEST_CASE("int8 depthwise: sizes") {
  for (const int32_t kernel : {3, 5}) {
    for (const int32_t stride : {1, 2}) {
      for (const int32_t width : {1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 23}) {
        for (const int32_t height : {1, 2, 5, 8}) check({1, height, width, 24, kernel, stride, 2, 2, 2, 2});
      }
    }
  }
}

TEST_CASE("int8 depthwise: padding, batch, views, no bias") {
  for (const int32_t kernel : {3, 5}) {
    for (const int32_t stride : {1, 2}) {
      check({1, 12, 13, 72, kernel, stride, 0, 0, 0, 0});
      check({2, 12, 13, 72, kernel, stride, 0, 1, 0, 1});
      check({1, 12, 13, 20, kernel, stride, 1, 0, 2, 0});
      check({1, 5, 6, 20, kernel, stride, 7, 6, 8, 9});
      check({3, 9, 9, 40, kernel, stride, 1, 1, 1, 1, 24, 8});
      check({1, 9, 9, 136, kernel, stride, 1, 1, 1, 1, 0, 0, false});
    }
  }
}

TEST_CASE("int8 depthwise: other convolutions are left to XNNPACK") {
  Conv depthwise(kPlain.conv());
  const auto refused = [&](auto change) {
    OneOp op = depthwise.op();
    change(*op.op.attributes.AsConv2d());
    return op.run(kernels::create_int8_depthwise).code() == StatusCode::kUnsupported;
  };
  CHECK(refused([](plan::Conv2dT& conv) { conv.groups = 4; }));
  CHECK(refused([](plan::Conv2dT& conv) { conv.stride_w = 2; }));
  CHECK(refused([](plan::Conv2dT& conv) { conv.dilation_h = 2; }));
  CHECK(refused([](plan::Conv2dT& conv) { conv.pad_top = 2; }));
}

}  // namespace
}  // namespace bantam::test
