#include "int8/int8_kernels.h"
#include "one_op.h"
#include "reference.h"

namespace bantam::test {
namespace {

struct Case {
  std::vector<int32_t> x;
  int32_t height, width;
  plan::ResizeMode mode;
  plan::CoordinateMode coordinates;
  int32_t x_gap = 0, y_gap = 0;
};

double source_of(plan::CoordinateMode mode, int32_t i, int32_t in, int32_t out) {
  const double scale = static_cast<double>(static_cast<float>(out) / static_cast<float>(in));
  switch (mode) {
    case plan::CoordinateMode::kAsymmetric:
      return i / scale;
    case plan::CoordinateMode::kAlignCorners:
      return out > 1 ? i * double(in - 1) / (out - 1) : 0;
    default:
      return (i + 0.5) / scale - 0.5;
  }
}

int8_t at(const Tensor& x, int32_t n, int32_t row, int32_t column, int32_t channel) {
  const int32_t* dims = x.info.dims;
  row = std::clamp(row, 0, dims[1] - 1);
  column = std::clamp(column, 0, dims[2] - 1);
  return x.data<int8_t>()[((n * dims[1] + row) * dims[2] + column) * x.info.pixel_stride + channel];
}

int8_t linear(const Tensor& x, int32_t n, double row, double column, int32_t channel) {
  const auto top = static_cast<int32_t>(std::floor(row)), left = static_cast<int32_t>(std::floor(column));
  const auto weight = [](double position, int32_t low, int32_t size) {
    if (low < 0 || low + 1 >= size) return 0L;  // both neighbours are the same pixel
    return std::lrint(static_cast<float>(position - low) * 2048.0f);
  };
  const long down = weight(row, top, x.info.dims[1]), right = weight(column, left, x.info.dims[2]);
  const auto across = [&](int32_t r) {
    return (at(x, n, r, left, channel) * (2048 - right) + at(x, n, r, left + 1, channel) * right + 8) >> 4;
  };
  return static_cast<int8_t>((across(top) * (2048 - down) + across(top + 1) * down + (1 << 17)) >> 18);
}

void check(const Case& c) {
  const int32_t channels = c.x[3];
  Tensor x = int8_tensor(c.x, 0.1f, 3, channels + c.x_gap);
  Tensor y = int8_tensor({c.x[0], c.height, c.width, channels}, 0.1f, 3, channels + c.y_gap);
  randomize(x, 8);
  OneOp op(plan::OpCode::kResize, {&x}, {&y});
  plan::ResizeT resize;
  resize.mode = c.mode;
  resize.coordinates = c.coordinates;
  resize.nearest = plan::NearestMode::kFloor;
  resize.scale_h = static_cast<float>(c.height) / static_cast<float>(c.x[1]);
  resize.scale_w = static_cast<float>(c.width) / static_cast<float>(c.x[2]);
  op.op.attributes.Set(std::move(resize));
  std::vector<int8_t> expected;
  for (int32_t n = 0; n < c.x[0]; ++n) {
    for (int32_t row = 0; row < c.height; ++row) {
      for (int32_t column = 0; column < c.width; ++column) {
        const double v = source_of(c.coordinates, row, c.x[1], c.height),
                     h = source_of(c.coordinates, column, c.x[2], c.width);
        for (int32_t channel = 0; channel < channels; ++channel) {
          expected.push_back(c.mode == plan::ResizeMode::kLinear
                                 ? linear(x, n, v, h, channel)
                                 : at(x, n, static_cast<int32_t>(std::floor(v)),
                                      static_cast<int32_t>(std::floor(h)), channel));
        }
      }
    }
  }
  check_everywhere(op, kernels::create_int8_resize, expected);
}

TEST_CASE("int8 resize") {
  for (const auto mode : {plan::ResizeMode::kNearest, plan::ResizeMode::kLinear}) {
    for (const auto coordinates : {plan::CoordinateMode::kHalfPixel, plan::CoordinateMode::kAsymmetric,
                                   plan::CoordinateMode::kAlignCorners}) {
      check({{2, 7, 9, 24}, 14, 18, mode, coordinates});
      check({{1, 7, 9, 3}, 17, 20, mode, coordinates});
      check({{1, 13, 16, 65}, 5, 7, mode, coordinates});
      check({{1, 1, 1, 130}, 4, 4, mode, coordinates});
      check({{2, 5, 6, 20}, 10, 12, mode, coordinates, 12, 5});
    }
  }
}

TEST_CASE("int8 resize beyond the input gives the extrapolation value") {
  Tensor x = int8_tensor({1, 2, 2, 5}, 0.1f, 3), y = int8_tensor({1, 4, 4, 5}, 0.1f, 3);
  randomize(x, 8);
  OneOp op(plan::OpCode::kResize, {&x}, {&y});
  plan::ResizeT resize;
  resize.coordinates = plan::CoordinateMode::kTfCropAndResize;
  resize.roi = {-2.0f, -2.0f, -1.0f, -1.0f};
  resize.extrapolation = 2.0f;
  op.op.attributes.Set(std::move(resize));
  check_everywhere(op, kernels::create_int8_resize, std::vector<int8_t>(80, 23));
}

TEST_CASE("int8 resize between two quantizations is refused") {
  Tensor x = int8_tensor({1, 2, 2, 5}, 0.1f, 3), y = int8_tensor({1, 4, 4, 5}, 0.2f, 3);
  OneOp op(plan::OpCode::kResize, {&x}, {&y});
  op.op.attributes.Set(plan::ResizeT());
  CHECK(op.run(kernels::create_int8_resize).code() == StatusCode::kUnsupported);
}

}  // namespace
}  // namespace bantam::test
