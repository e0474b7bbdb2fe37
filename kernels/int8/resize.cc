#include <cstring>

#include "int8/arithmetic.h"
#include "int8/highway_targets.h"
#include "int8/int8_kernels.h"
#include "kernel_support.h"
#include "resize_sources.h"
#include "threads.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "int8/resize.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "int8/vector-inl.h"

#ifndef BANTAM_INT8_RESIZE_ONCE
#define BANTAM_INT8_RESIZE_ONCE
namespace bantam::kernels {

// The four pixels that an output pixel lies between; weights of the right and of the lower ones, in 1/2048.
struct Corners {
  const int8_t *top_left, *top_right, *bottom_left, *bottom_right;
  int16_t right, lower;
};

}  // namespace bantam::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

// (a * (2048 - weight) + b * weight + half) >> kShift, where `weights` holds 2048 - weight and weight in
// turn.
template <int kShift>
HWY_INLINE VI16 mix(VI16 a, VI16 b, VI16 weights) {
  const DI16 d16;
  const DI32 d32;
  const VI32 half = hn::Set(d32, 1 << (kShift - 1));
  const VI32 lower = hn::WidenMulPairwiseAdd(d32, hn::InterleaveLower(d16, a, b), weights);
  const VI32 upper = hn::WidenMulPairwiseAdd(d32, hn::InterleaveUpper(d16, a, b), weights);
  return narrow(hn::ShiftRight<kShift>(hn::Add(lower, half)), hn::ShiftRight<kShift>(hn::Add(upper, half)));
}

HWY_INLINE VI16 weights_of(int16_t weight) {
  return hn::BitCast(DI16(), hn::Set(DI32(), (int32_t{weight} << 16) | (2048 - weight)));
}

// Keeps 7 fractional bits between the two steps. Reads less than a vector past each pixel.
void mix_pixel(const Corners& c, int8_t* y, size_t channels) {
  const DI8 d;
  const VI16 across = weights_of(c.right), down = weights_of(c.lower);
  for (size_t i = 0; i < channels; i += hn::Lanes(d)) {
    const VI8 a = hn::LoadU(d, c.top_left + i), b = hn::LoadU(d, c.top_right + i);
    const VI8 e = hn::LoadU(d, c.bottom_left + i), f = hn::LoadU(d, c.bottom_right + i);
    const VI16 lower = mix<18>(mix<4>(widen_lower(a), widen_lower(b), across),
                               mix<4>(widen_lower(e), widen_lower(f), across), down);
    const VI16 upper = mix<18>(mix<4>(widen_upper(a), widen_upper(b), across),
                               mix<4>(widen_upper(e), widen_upper(f), across), down);
    hn::StoreN(narrow(lower, upper), d, y + i, channels - i);
  }
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace bantam::kernels {

HWY_EXPORT(mix_pixel);

namespace {

class Resize final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const plan::Resize& resize = *context.op->attributes_as_Resize();
    BANTAM_RETURN_IF_ERROR(make_resize_sources(context, rows_, columns_));
    linear_ = resize.mode() == plan::ResizeMode::kLinear;
    const float outside = resize.extrapolation();
    extrapolation_ = quantize(outside == outside ? outside : 0.0f, y.scale(), y.zero_point);
    batch_ = x.dims[0];
    channels_ = x.dims[3];
    x_pixel_ = x.pixel_stride;
    y_pixel_ = y.pixel_stride;
    x_row_ = x.dims[2] * x_pixel_;
    x_image_ = x.dims[1] * x_row_;
    y_is_dense_ = y.dense();
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const int8_t* x = input_as<int8_t>(context, 0);
    int8_t* y = output_as<int8_t>(context);
    const auto height = static_cast<int64_t>(rows_.size()), width = static_cast<int64_t>(columns_.size());
    const int64_t cost = width * channels_ * (linear_ ? 2 : 1);
    parallel_ranges(context.threads, batch_ * height, tile_for(cost), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int8_t* image = x + i / height * x_image_;
        int8_t* row = y + i * width * y_pixel_;
        const ResizeSource& source = rows_[static_cast<size_t>(i % height)];
        if (i > begin && i % height > 0 && repeats(source, rows_[static_cast<size_t>(i % height - 1)])) {
          std::memcpy(row, row - width * y_pixel_, static_cast<size_t>(width * y_pixel_));
        } else {
          run_row(image, source, row);
        }
      }
    });
    return ok_status();
  }

  size_t state_bytes() const override { return (rows_.size() + columns_.size()) * sizeof(ResizeSource); }

 private:
  bool repeats(const ResizeSource& row, const ResizeSource& previous) const {
    return !linear_ && y_is_dense_ && row.first == previous.first && row.outside == previous.outside;
  }

  void run_row(const int8_t* image, const ResizeSource& row, int8_t* y) const {
    const auto channels = static_cast<size_t>(channels_);
    const int8_t* top = image + row.first * x_row_;
    const int8_t* bottom = image + row.second * x_row_;
    for (const ResizeSource& column : columns_) {
      if (row.outside || column.outside) {
        std::memset(y, extrapolation_, channels);
      } else if (linear_) {
        const int64_t left = column.first * x_pixel_, right = column.second * x_pixel_;
        const Corners corners = {top + left,     top + right,          bottom + left,
                                 bottom + right, fixed(column.weight), fixed(row.weight)};
        HWY_DYNAMIC_DISPATCH(mix_pixel)(corners, y, channels);
      } else {
        std::memcpy(y, top + column.first * x_pixel_, channels);
      }
      y += y_pixel_;
    }
  }

  static int16_t fixed(float weight) { return static_cast<int16_t>(round_to_nearest_even(weight * 2048.0f)); }

  Array<ResizeSource> rows_, columns_;
  bool linear_ = false;
  bool y_is_dense_ = false;
  int8_t extrapolation_ = 0;
  int64_t batch_ = 0, channels_ = 0;
  int64_t x_pixel_ = 0, x_row_ = 0, x_image_ = 0, y_pixel_ = 0;  // in elements
};

}  // namespace

// ONNX Resize-19, nearest and linear. Linear: weights in 1/2048 (nearest, ties to even) across, kept to 1/128
// of a step (half up), then down, rounded half up. Relies on x and y of rank 4 with the same N and C.
Status create_int8_resize(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  if (x.dtype != plan::DType::kInt8 || y.dtype != plan::DType::kInt8)
    return unsupported(context, "not an int8 op");
  if (!usable_scale(x) || x.scale() != y.scale() || x.zero_point != y.zero_point) {
    return unsupported(context, "an int8 resize needs one quantization for input and output");
  }
  if (x.elements == 0) return unsupported(context, "an empty input");
  return make_kernel<Resize>(context, out);
}

}  // namespace bantam::kernels

#endif
