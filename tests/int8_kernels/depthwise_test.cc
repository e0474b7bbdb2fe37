#include <xnnpack.h>

#include "int8/int8_kernels.h"
#include "one_op.h"
#include "reference.h"

namespace bantam::test {
namespace {

struct Case {
  int32_t batch, height, width, channels, kernel, stride;
  int32_t pad_top, pad_bottom, pad_left, pad_right;
  int32_t x_gap = 0, y_gap = 0;  // channels between the pixels of views
  bool bias = true;
};

class Depthwise {
 public:
  explicit Depthwise(const Case& c)
      : case_(c),
        out_height_((c.height + c.pad_top + c.pad_bottom - c.kernel) / c.stride + 1),
        out_width_((c.width + c.pad_left + c.pad_right - c.kernel) / c.stride + 1),
        x_(int8_tensor({c.batch, c.height, c.width, c.channels}, 0.047f, -13, c.channels + c.x_gap)),
        w_(int8_tensor({c.channels, c.kernel, c.kernel, 1})),
        bias_(plan::DType::kInt32, {c.channels}),
        y_(int8_tensor({c.batch, out_height_, out_width_, c.channels}, 0.061f, 5, c.channels + c.y_gap)) {
    randomize(x_, 1);
    randomize(w_.constant(), 2);
    bias_.constant();
    std::mt19937 random(3);
    w_.scales.clear();
    for (int32_t i = 0; i < c.channels; ++i) {
      bias_.data<int32_t>()[i] = static_cast<int32_t>(random() % 40001) - 20000;
      w_.scales.push_back(0.00002f * static_cast<float>(1 + random() % 400));
    }
    for (int32_t i = 0; i < c.channels * c.kernel * c.kernel; ++i) {
      w_.data<int8_t>()[i] = std::max<int8_t>(w_.data<int8_t>()[i], -127);
    }
    w_.info.scale_count = c.channels;
  }

  OneOp op() {
    OneOp op(plan::OpCode::kConv2d, {&x_, &w_, case_.bias ? &bias_ : nullptr}, {&y_});
    plan::Conv2dT conv;
    conv.stride_h = conv.stride_w = case_.stride;
    conv.pad_top = case_.pad_top;
    conv.pad_bottom = case_.pad_bottom;
    conv.pad_left = case_.pad_left;
    conv.pad_right = case_.pad_right;
    conv.groups = case_.channels;
    conv.clamp = std::make_unique<plan::Clamp>(0.0f, 0.0f, kMin, kMax);
    op.op.attributes.Set(std::move(conv));
    return op;
  }

  std::vector<int8_t> naive() const {
    std::vector<int8_t> out;
    const Case& c = case_;
    const int8_t* x = x_.data<int8_t>();
    for (int32_t n = 0; n < c.batch; ++n) {
      for (int32_t oy = 0; oy < out_height_; ++oy) {
        for (int32_t ox = 0; ox < out_width_; ++ox) {
          for (int32_t ch = 0; ch < c.channels; ++ch) {
            int32_t acc = c.bias ? bias_.data<int32_t>()[ch] : 0;
            for (int32_t tap = 0; tap < c.kernel * c.kernel; ++tap) {
              const int32_t iy = oy * c.stride - c.pad_top + tap / c.kernel,
                            ix = ox * c.stride - c.pad_left + tap % c.kernel;
              if (iy < 0 || iy >= c.height || ix < 0 || ix >= c.width) continue;
              const int32_t v = x[((n * c.height + iy) * c.width + ix) * x_.info.pixel_stride + ch] + 13;
              acc += v * w_.data<int8_t>()[ch * c.kernel * c.kernel + tap];
            }
            out.push_back(
                requantize(acc, 0.047f * w_.scales[static_cast<size_t>(ch)] / 0.061f, 5, kMin, kMax));
          }
        }
      }
    }
    return out;
  }

  std::vector<int8_t> xnnpack() {
    const Case& c = case_;
    const auto channels = static_cast<size_t>(c.channels);
    xnn_operator_t op = nullptr;
    REQUIRE(xnn_initialize(nullptr) == xnn_status_success);
    REQUIRE(xnn_create_convolution2d_nhwc_qs8_qc8w(
                static_cast<uint32_t>(c.pad_top), static_cast<uint32_t>(c.pad_right),
                static_cast<uint32_t>(c.pad_bottom), static_cast<uint32_t>(c.pad_left),
                static_cast<uint32_t>(c.kernel), static_cast<uint32_t>(c.kernel),
                static_cast<uint32_t>(c.stride), static_cast<uint32_t>(c.stride), 1, 1,
                static_cast<uint32_t>(c.channels), 1, 1, static_cast<size_t>(x_.info.pixel_stride), channels,
                -13, 0.047f, w_.scales.data(), w_.data<int8_t>(), c.bias ? bias_.data<int32_t>() : nullptr, 5,
                0.061f, kMin, kMax, 0, nullptr, nullptr, &op) == xnn_status_success);
    size_t workspace = 0, alignment = 0;
    REQUIRE(xnn_reshape_convolution2d_nhwc_qs8_qc8w(
                op, static_cast<size_t>(c.batch), static_cast<size_t>(c.height), static_cast<size_t>(c.width),
                &workspace, &alignment, nullptr, nullptr, nullptr) == xnn_status_success);
    std::vector<int8_t> out(static_cast<size_t>(y_.info.elements) + kReadPadding);
    std::vector<uint8_t> scratch(workspace + 1);
    REQUIRE(xnn_setup_convolution2d_nhwc_qs8_qc8w(op, scratch.data(), x_.data<int8_t>(), out.data()) ==
            xnn_status_success);
    REQUIRE(xnn_run_operator(op, nullptr) == xnn_status_success);
    xnn_delete_operator(op);
    out.resize(static_cast<size_t>(y_.info.elements));
    return out;
  }

  static constexpr int8_t kMin = -120, kMax = 115;

 private:
  Case case_;
  int32_t out_height_, out_width_;
  Tensor x_, w_, bias_, y_;
};

void check(const Case& c) {
  INFO(c.height << " x " << c.width << " x " << c.channels << ", kernel " << c.kernel << ", stride "
                << c.stride);
  Depthwise depthwise(c);
  OneOp op = depthwise.op();
  const std::vector<int8_t> expected = depthwise.naive();
  REQUIRE(depthwise.xnnpack() == expected);
  std::unique_ptr<Kernel> kernel;
  if (op.create(kernels::create_int8_depthwise, kernel).code() == StatusCode::kUnsupported) return;  // not on ARM
  check_everywhere(op, kernels::create_int8_depthwise, expected);
}

TEST_CASE("int8 depthwise: x86 has kernels of our own") {
#if defined(__x86_64__)
  Depthwise depthwise({1, 8, 8, 16, 3, 1, 1, 1, 1, 1});
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
  Depthwise depthwise({1, 8, 8, 16, 3, 1, 1, 1, 1, 1});
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
