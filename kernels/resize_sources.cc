#include "resize_sources.h"

#include <cmath>

#include "kernel_support.h"

namespace bantam::kernels {

namespace {

using plan::CoordinateMode;
using plan::NearestMode;
using plan::ResizeMode;

struct AxisSize {
  int64_t input, output;
  double scale;
  double roi_start, roi_end;
};

// ONNX Resize-19, coordinate_transformation_mode.
double coordinate(CoordinateMode mode, const AxisSize& axis, int64_t i) {
  const double x = static_cast<double>(i), in = static_cast<double>(axis.input),
               out = static_cast<double>(axis.output);
  switch (mode) {
    case CoordinateMode::kAsymmetric:
      return x / axis.scale;
    case CoordinateMode::kAlignCorners:
      return out > 1 ? x * (in - 1) / (out - 1) : 0;
    case CoordinateMode::kPytorchHalfPixel:
      return out > 1 ? (x + 0.5) / axis.scale - 0.5 : 0;
    case CoordinateMode::kHalfPixelSymmetric: {
      const double adjustment = out / (axis.scale * in);
      return in / 2 * (1 - adjustment) + (x + 0.5) / axis.scale - 0.5;
    }
    case CoordinateMode::kTfCropAndResize:
      if (out <= 1) return 0.5 * (axis.roi_start + axis.roi_end) * (in - 1);
      return axis.roi_start * (in - 1) + x * (axis.roi_end - axis.roi_start) * (in - 1) / (out - 1);
    default:
      return (x + 0.5) / axis.scale - 0.5;
  }
}

double nearest(NearestMode mode, double x) {
  switch (mode) {
    case NearestMode::kRoundPreferCeil:
      return std::floor(x + 0.5);
    case NearestMode::kFloor:
      return std::floor(x);
    case NearestMode::kCeil:
      return std::ceil(x);
    default:
      return std::ceil(x - 0.5);
  }
}

// Never out of [0, last], whatever the attributes say.
int32_t clamped(double x, int64_t last) {
  if (!(x > 0)) return 0;
  return x < static_cast<double>(last) ? static_cast<int32_t>(x) : static_cast<int32_t>(last);
}

void fill_sources(const plan::Resize& attributes, const AxisSize& axis, ResizeSource* sources) {
  const int64_t last = axis.input - 1;
  for (int64_t i = 0; i < axis.output; ++i) {
    const double x = coordinate(attributes.coordinates(), axis, i);
    ResizeSource& source = sources[i];
    source.outside = attributes.coordinates() == CoordinateMode::kTfCropAndResize &&
                     !(x >= 0 && x <= static_cast<double>(last));
    if (attributes.mode() == ResizeMode::kNearest) {
      source.first = source.second = clamped(nearest(attributes.nearest(), x), last);
      continue;
    }
    const double floor = std::floor(x);
    source.first = clamped(floor, last);
    source.second = clamped(floor + 1, last);
    source.weight = source.first == source.second ? 0.0f : static_cast<float>(x - floor);
  }
}

}  // namespace

Status make_resize_sources(const OpContext& context, Array<ResizeSource>& rows,
                           Array<ResizeSource>& columns) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  const plan::Resize& a = *context.op->attributes_as_Resize();
  const auto* roi = a.roi();
  const bool has_roi = roi != nullptr && roi->size() >= 4;
  if (a.coordinates() == CoordinateMode::kTfCropAndResize && !has_roi) return unsupported(context, "no roi");
  const AxisSize h = {x.dims[1], y.dims[1], a.scale_h(), has_roi ? (*roi)[0] : 0, has_roi ? (*roi)[2] : 1};
  const AxisSize w = {x.dims[2], y.dims[2], a.scale_w(), has_roi ? (*roi)[1] : 0, has_roi ? (*roi)[3] : 1};
  if (!rows.allocate(size_t(h.output)) || !columns.allocate(size_t(w.output))) return out_of_memory(context);
  fill_sources(a, h, rows.data());
  fill_sources(a, w, columns.data());
  return ok_status();
}

}  // namespace bantam::kernels
