#include "conv_case.h"
#include "hwy/targets.h"
#include "int8/int8_kernels.h"

namespace bantam::test {
namespace {

void check(const ConvCase& c) { check_conv(c, kernels::create_int8_conv2d); }

TEST_CASE("int8 convolution: AVX2 has a kernel of our own") {
  Conv conv({.height = 6, .width = 6, .in_channels = 8, .out_channels = 16, .kernel_h = 3, .kernel_w = 3});
  int served = 0;
  for_each_target([&] {
    OneOp op = conv.op();
    std::unique_ptr<Kernel> kernel;
    served += op.create(kernels::create_int8_conv2d, kernel).ok();
  });
  CHECK(served == ((hwy::SupportedTargets() & HWY_AVX2) != 0 ? 1 : 0));
}

TEST_CASE("int8 convolution: channels") {
  for (const int32_t in : {1, 2, 3, 7, 8, 16, 17, 40, 64, 131}) {
    for (const int32_t out : {1, 5, 8, 15, 16, 17, 24, 32, 40, 100}) {
      check({.height = 5, .width = 6, .in_channels = in, .out_channels = out, .kernel_h = 1, .kernel_w = 1});
      check({.height = 5,
             .width = 6,
             .in_channels = in,
             .out_channels = out,
             .kernel_h = 3,
             .kernel_w = 3,
             .pad_top = 1,
             .pad_bottom = 1,
             .pad_left = 1,
             .pad_right = 1});
    }
  }
}

TEST_CASE("int8 convolution: sizes") {
  for (const int32_t kernel : {1, 2, 3, 5, 7}) {
    for (const int32_t stride : {1, 2, 3}) {
      for (const int32_t width : {1, 2, 3, 4, 5, 9, 30}) {
        for (const int32_t height : {1, 2, 5, 12}) {
          check({.height = height,
                 .width = width,
                 .in_channels = 6,
                 .out_channels = 18,
                 .kernel_h = kernel,
                 .kernel_w = kernel,
                 .stride = stride,
                 .pad_top = kernel / 2,
                 .pad_bottom = kernel - 1,
                 .pad_left = kernel - 1,
                 .pad_right = kernel / 2});
        }
      }
    }
  }
}

TEST_CASE("int8 convolution: dilation, batch, views, no bias, oblong kernels") {
  const ConvCase plain = {.batch = 1,
                          .height = 11,
                          .width = 12,
                          .in_channels = 20,
                          .out_channels = 36,
                          .kernel_h = 3,
                          .kernel_w = 3,
                          .pad_top = 1,
                          .pad_bottom = 2,
                          .pad_left = 2,
                          .pad_right = 1};
  const auto changed = [&](auto change) {
    ConvCase c = plain;
    change(c);
    check(c);
  };
  changed([](ConvCase& c) { c.batch = 3; });
  changed([](ConvCase& c) { c.dilation = 2; });
  changed([](ConvCase& c) { c.x_gap = 13; });
  changed([](ConvCase& c) { c.y_gap = 5; });
  changed([](ConvCase& c) { c.bias = false; });
  changed([](ConvCase& c) { c.kernel_h = 1; });
  changed([](ConvCase& c) { c.kernel_w = 1; });
  changed([](ConvCase& c) { c.in_channels = 700; });  // several panels
  changed([](ConvCase& c) { c.stride = 2, c.batch = 2, c.x_gap = 3, c.dilation = 3; });
}

TEST_CASE("int8 convolution: nothing to compute is left to others") {
  for (const auto& [in, out] : {std::pair{0, 8}, {8, 0}}) {
    Conv conv(
        {.height = 5, .width = 6, .in_channels = in, .out_channels = out, .kernel_h = 1, .kernel_w = 1});
    OneOp op = conv.op();
    CHECK(op.run(kernels::create_int8_conv2d).code() == StatusCode::kUnsupported);
  }
}

TEST_CASE("int8 convolution: groups are left to others") {
  Conv conv({.height = 5,
             .width = 5,
             .in_channels = 8,
             .out_channels = 8,
             .kernel_h = 1,
             .kernel_w = 1,
             .groups = 2});
  OneOp op = conv.op();
  CHECK(op.run(kernels::create_int8_conv2d).code() == StatusCode::kUnsupported);
}

}  // namespace
}  // namespace bantam::test
