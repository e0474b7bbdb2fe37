#include <algorithm>
#include <cmath>
#include <cstring>

#include "bantam/runtime/array.h"
#include "int8/int8_kernels.h"
#include "kernel_list.h"
#include "kernel_support.h"
#include "threads.h"

namespace bantam::kernels {

namespace {

using plan::CoordinateMode;
using plan::DType;
using plan::NearestMode;
using plan::ResizeMode;

// Where one output coordinate of an axis comes from.
struct Source {
  int32_t first = 0, second = 0;  // input coordinates
  float weight = 0;               // of the second
  bool outside = false;           // kTfCropAndResize beyond the input: the extrapolation value
};

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

void fill_sources(const plan::Resize& attributes, const AxisSize& axis, Source* sources) {
  const int64_t last = axis.input - 1;
  for (int64_t i = 0; i < axis.output; ++i) {
    const double x = coordinate(attributes.coordinates(), axis, i);
    Source& source = sources[i];
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

class ResizeKernel : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const plan::Resize& a = *context.op->attributes_as_Resize();
    const auto* roi = a.roi();
    const bool has_roi = roi != nullptr && roi->size() >= 4;
    if (a.coordinates() == CoordinateMode::kTfCropAndResize && !has_roi)
      return unsupported(context, "no roi");
    if (x.elements == 0) return unsupported(context, "an empty input");
    const AxisSize h = {x.dims[1], y.dims[1], a.scale_h(), has_roi ? (*roi)[0] : 0, has_roi ? (*roi)[2] : 1};
    const AxisSize w = {x.dims[2], y.dims[2], a.scale_w(), has_roi ? (*roi)[1] : 0, has_roi ? (*roi)[3] : 1};
    if (!rows_.allocate(size_t(h.output)) || !columns_.allocate(size_t(w.output)))
      return out_of_memory(context);
    fill_sources(a, h, rows_.data());
    fill_sources(a, w, columns_.data());
    batch_ = x.dims[0];
    input_h_ = h.input;
    input_w_ = w.input;
    channels_ = x.dims[3];
    x_stride_ = x.pixel_stride;
    y_stride_ = y.pixel_stride;
    extrapolation_ = a.extrapolation();
    return ok_status();
  }

  size_t state_bytes() const override { return (rows_.size() + columns_.size()) * sizeof(Source); }

 protected:
  // Calls body(image, row source, column source, output pixel) for every output pixel; image is its input
  // sample.
  template <typename T, typename Body>
  void for_each_pixel(const RunContext& context, const Body& body) const {
    const auto height = static_cast<int64_t>(rows_.size()), width = static_cast<int64_t>(columns_.size());
    parallel_ranges(
        context.threads, batch_ * height, tile_for(width * channels_ * 4), [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row) {
            const T* image = input_as<T>(context, 0) + row / height * input_h_ * input_w_ * x_stride_;
            T* y = output_as<T>(context) + row * width * y_stride_;
            for (int64_t i = 0; i < width; ++i)
              body(image, rows_[row % height], columns_[i], y + i * y_stride_);
          }
        });
  }

  Array<Source> rows_, columns_;
  int64_t batch_ = 0, input_h_ = 0, input_w_ = 0, channels_ = 0, x_stride_ = 0, y_stride_ = 0;
  float extrapolation_ = 0;
};

class LinearResizeKernel final : public ResizeKernel {
 public:
  Status run(const RunContext& context) override {
    for_each_pixel<float>(
        context, [&](const float* image, const Source& row, const Source& column, float* y) {
          if (row.outside || column.outside) {
            std::fill(y, y + channels_, extrapolation_);
            return;
          }
          const float* top = image + row.first * input_w_ * x_stride_;
          const float* bottom = image + row.second * input_w_ * x_stride_;
          const float *a = top + column.first * x_stride_, *b = top + column.second * x_stride_;
          const float *c = bottom + column.first * x_stride_, *d = bottom + column.second * x_stride_;
          for (int64_t k = 0; k < channels_; ++k) {
            const float upper = a[k] + (b[k] - a[k]) * column.weight;
            const float lower = c[k] + (d[k] - c[k]) * column.weight;
            y[k] = upper + (lower - upper) * row.weight;
          }
        });
    return ok_status();
  }
};

// Any type of the element's size; the extrapolation value exists for float32 only.
template <typename T>
class NearestResizeKernel final : public ResizeKernel {
 public:
  Status run(const RunContext& context) override {
    for_each_pixel<T>(context, [&](const T* image, const Source& row, const Source& column, T* y) {
      if (row.outside || column.outside) {
        for (int64_t k = 0; k < channels_; ++k) y[k] = static_cast<T>(extrapolation_);
        return;
      }
      std::memcpy(y, image + (row.first * input_w_ + column.first) * x_stride_,
                  static_cast<size_t>(channels_) * sizeof(T));
    });
    return ok_status();
  }
};

}  // namespace

// Relies on: x and y of rank 4 with the same N, C and dtype; scales > 0.
Status create_resize(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const plan::Resize& attributes = *context.op->attributes_as_Resize();
  if (x.rank != 4) return unsupported(context, "a resize takes [N,H,W,C]");
  if (x.dtype == DType::kInt8 && x.quantized()) return create_int8_resize(context, out);
  if (x.dtype == DType::kFloat32) {
    return attributes.mode() == ResizeMode::kLinear ? make_kernel<LinearResizeKernel>(context, out)
                                                    : make_kernel<NearestResizeKernel<float>>(context, out);
  }
  if (attributes.mode() == ResizeMode::kLinear ||
      attributes.coordinates() == CoordinateMode::kTfCropAndResize) {
    return unsupported(context, "float32 or int8");
  }
  switch (element_size(x.dtype)) {
    case 1:
      return make_kernel<NearestResizeKernel<uint8_t>>(context, out);
    case 2:
      return make_kernel<NearestResizeKernel<uint16_t>>(context, out);
    case 4:
      return make_kernel<NearestResizeKernel<uint32_t>>(context, out);
    default:
      return make_kernel<NearestResizeKernel<uint64_t>>(context, out);
  }
}

}  // namespace bantam::kernels
