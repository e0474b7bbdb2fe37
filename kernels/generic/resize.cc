#include <algorithm>
#include <cstring>

#include "bantam/runtime/array.h"
#include "int8/int8_kernels.h"
#include "kernel_list.h"
#include "kernel_support.h"
#include "resize_sources.h"
#include "threads.h"

namespace bantam::kernels {

namespace {

using plan::CoordinateMode;
using plan::DType;
using plan::ResizeMode;

class ResizeKernel : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    if (x.elements == 0) return unsupported(context, "an empty input");
    BANTAM_RETURN_IF_ERROR(make_resize_sources(context, rows_, columns_));
    batch_ = x.dims[0];
    input_h_ = x.dims[1];
    input_w_ = x.dims[2];
    channels_ = x.dims[3];
    x_stride_ = x.pixel_stride;
    y_stride_ = y.pixel_stride;
    extrapolation_ = context.op->attributes_as_Resize()->extrapolation();
    return ok_status();
  }

  size_t state_bytes() const override { return (rows_.size() + columns_.size()) * sizeof(ResizeSource); }

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

  Array<ResizeSource> rows_, columns_;
  int64_t batch_ = 0, input_h_ = 0, input_w_ = 0, channels_ = 0, x_stride_ = 0, y_stride_ = 0;
  float extrapolation_ = 0;
};

class LinearResizeKernel final : public ResizeKernel {
 public:
  Status run(const RunContext& context) override {
    for_each_pixel<float>(
        context, [&](const float* image, const ResizeSource& row, const ResizeSource& column, float* y) {
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
    for_each_pixel<T>(context,
                      [&](const T* image, const ResizeSource& row, const ResizeSource& column, T* y) {
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

template <typename T>
Status create_nearest(const OpContext& context, Kernel** out) {
  const plan::Resize& attributes = *context.op->attributes_as_Resize();
  if (context.input(0).rank != 4) return unsupported(context, "a resize takes [N,H,W,C]");
  if (attributes.mode() == ResizeMode::kLinear ||
      attributes.coordinates() == CoordinateMode::kTfCropAndResize) {
    return unsupported(context, "float32 or int8");
  }
  return make_kernel<NearestResizeKernel<T>>(context, out);
}

}  // namespace

// All rely on: x and y of rank 4 with the same N, C and dtype; scales > 0.
Status create_float_resize(const OpContext& context, Kernel** out) {
  if (context.input(0).rank != 4) return unsupported(context, "a resize takes [N,H,W,C]");
  return context.op->attributes_as_Resize()->mode() == ResizeMode::kLinear
             ? make_kernel<LinearResizeKernel>(context, out)
             : make_kernel<NearestResizeKernel<float>>(context, out);
}

Status create_byte_resize(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  return x.rank == 4 && x.quantized() ? create_int8_resize(context, out)
                                      : create_nearest<uint8_t>(context, out);
}

Status create_nearest_resize(const OpContext& context, Kernel** out) {
  switch (element_size(context.input(0).dtype)) {
    case 1:
      return create_nearest<uint8_t>(context, out);
    case 2:
      return create_nearest<uint16_t>(context, out);
    case 4:
      return create_nearest<uint32_t>(context, out);
    default:
      return create_nearest<uint64_t>(context, out);
  }
}

}  // namespace bantam::kernels
