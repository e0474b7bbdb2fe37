#include <algorithm>
#include <cmath>

#include "support.h"

namespace bantam::test {
namespace {

using plan::CoordinateMode;
using plan::DType;
using plan::NearestMode;
using plan::ResizeMode;

struct ResizeCase {
  int32_t in_h, in_w, out_h, out_w;
  float scale_h, scale_w;
};

constexpr ResizeCase kCases[] = {
    {4, 5, 8, 10, 2, 2},         {7, 6, 3, 2, 3.0f / 7, 2.0f / 6}, {5, 5, 12, 8, 2.5f, 1.7f},
    {1, 1, 4, 3, 4, 3},          {6, 8, 1, 1, 1.0f / 6, 1.0f / 8}, {3, 4, 3, 4, 1, 1},
    {10, 10, 6, 6, 0.64f, 0.64f}};

// Written after the formulas of ONNX Resize-19.
double coordinate(CoordinateMode mode, double x, double in, double out, double scale, double start,
                  double end) {
  switch (mode) {
    case CoordinateMode::kHalfPixel:
      return (x + 0.5) / scale - 0.5;
    case CoordinateMode::kAsymmetric:
      return x / scale;
    case CoordinateMode::kAlignCorners:
      return out == 1 ? 0 : x * (in - 1) / (out - 1);
    case CoordinateMode::kPytorchHalfPixel:
      return out > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case CoordinateMode::kHalfPixelSymmetric: {
      const double adjustment = out / (in * scale), center = in / 2;
      return center * (1 - adjustment) + (x + 0.5) / scale - 0.5;
    }
    default:
      return out > 1 ? start * (in - 1) + x * (end - start) * (in - 1) / (out - 1)
                     : 0.5 * (start + end) * (in - 1);
  }
}

double nearest(NearestMode mode, double x) {
  const double below = std::floor(x), fraction = x - below;
  switch (mode) {
    case NearestMode::kRoundPreferFloor:
      return fraction <= 0.5 ? below : below + 1;
    case NearestMode::kRoundPreferCeil:
      return fraction < 0.5 ? below : below + 1;
    case NearestMode::kFloor:
      return below;
    default:
      return std::ceil(x);
  }
}

std::vector<double> resize(const ResizeCase& c, const plan::ResizeT& a, const std::vector<double>& x,
                           int32_t channels) {
  std::vector<double> y(static_cast<size_t>(2 * c.out_h * c.out_w * channels));
  const std::vector<float> roi = a.roi.empty() ? std::vector<float>{0, 0, 1, 1} : a.roi;
  for_each_index({2, c.out_h, c.out_w, channels}, [&](const Index& i, size_t at) {
    const double h = coordinate(a.coordinates, i[1], c.in_h, c.out_h, c.scale_h, roi[0], roi[2]);
    const double w = coordinate(a.coordinates, i[2], c.in_w, c.out_w, c.scale_w, roi[1], roi[3]);
    const auto read = [&](double row, double column) {
      const auto r = static_cast<int32_t>(std::clamp(row, 0.0, c.in_h - 1.0));
      const auto k = static_cast<int32_t>(std::clamp(column, 0.0, c.in_w - 1.0));
      return x[static_cast<size_t>(((i[0] * c.in_h + r) * c.in_w + k) * channels + i[3])];
    };
    if (a.coordinates == CoordinateMode::kTfCropAndResize &&
        (h < 0 || h > c.in_h - 1 || w < 0 || w > c.in_w - 1)) {
      y[at] = a.extrapolation;
    } else if (a.mode == ResizeMode::kNearest) {
      y[at] = read(nearest(a.nearest, h), nearest(a.nearest, w));
    } else {
      const double top = std::floor(h), left = std::floor(w), fh = h - top, fw = w - left;
      y[at] = (read(top, left) * (1 - fw) + read(top, left + 1) * fw) * (1 - fh) +
              (read(top + 1, left) * (1 - fw) + read(top + 1, left + 1) * fw) * fh;
    }
  });
  return y;
}

TEST_CASE("Resize") {
  constexpr int32_t kChannels = 5;
  for (const ResizeCase& c : kCases) {
    for (const CoordinateMode coordinates : plan::EnumValuesCoordinateMode()) {
      for (const ResizeMode mode : plan::EnumValuesResizeMode()) {
        for (const NearestMode nearest_mode : plan::EnumValuesNearestMode()) {
          CAPTURE(c.in_h, c.out_h, plan::EnumNameCoordinateMode(coordinates), plan::EnumNameResizeMode(mode),
                  plan::EnumNameNearestMode(nearest_mode));
          plan::ResizeT a;
          a.mode = mode;
          a.coordinates = coordinates;
          a.nearest = nearest_mode;
          a.scale_h = c.scale_h;
          a.scale_w = c.scale_w;
          if (coordinates == CoordinateMode::kTfCropAndResize) a.roi = {0.2f, -0.1f, 0.7f, 0.9f};
          a.extrapolation = 10;
          Tensor x = floats({2, c.in_h, c.in_w, kChannels}, kChannels + 1);
          Tensor y = floats({2, c.out_h, c.out_w, kChannels}, kChannels + 2);
          fill_uniform(x, 1);
          OneOp op = make_op(plan::OpCode::kResize, {&x}, y, plan::ResizeT(a));
          check_op(op, resize(c, a, doubles(x), kChannels), {1e-5, 1e-5});
          if (mode == ResizeMode::kLinear) break;
        }
      }
    }
  }
}

}  // namespace
}  // namespace bantam::test
