#include <algorithm>
#include <limits>

#include "generic/fallbacks.h"
#include "kernel_support.h"
#include "threads.h"
#include "xnn/constants.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// One axis of a pooling window that may be dilated and may end past the padding.
struct Axis {
  int64_t input, output, kernel, stride, dilation, pad_before, pad_after;

  // The taps [begin, end) of the window at `position` that lie in [from, to) of the input's coordinates.
  void taps(int64_t position, int64_t from, int64_t to, int64_t* begin, int64_t* end) const {
    const int64_t start = position * stride - pad_before;
    *begin = start >= from ? 0 : (from - start + dilation - 1) / dilation;
    *end = start >= to ? 0 : std::min(kernel, (to - start + dilation - 1) / dilation);
  }
  int64_t at(int64_t position, int64_t tap) const { return position * stride - pad_before + tap * dilation; }
};

template <typename T>
class PoolKernel : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const plan::Pool2d& a = *context.op->attributes_as_Pool2d();
    h_ = {x.dims[1], y.dims[1], a.kernel_h(), a.stride_h(), a.dilation_h(), a.pad_top(), a.pad_bottom()};
    w_ = {x.dims[2], y.dims[2], a.kernel_w(), a.stride_w(), a.dilation_w(), a.pad_left(), a.pad_right()};
    batch_ = x.dims[0];
    channels_ = x.dims[3];
    x_stride_ = x.pixel_stride;
    y_stride_ = y.pixel_stride;
    range_ = Range(a.clamp());
    count_padding_ = a.count_include_pad();
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const T* x = input_as<T>(context, 0);
    T* y = output_as<T>(context);
    parallel_ranges(context.threads, batch_ * h_.output, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* image = x + row / h_.output * h_.input * w_.input * x_stride_;
        for (int64_t column = 0; column < w_.output; ++column) {
          pool(image, y + (row * w_.output + column) * y_stride_, row % h_.output, column);
        }
      }
    });
    return ok_status();
  }

 protected:
  // One output pixel.
  virtual void pool(const T* image, T* y, int64_t row, int64_t column) const = 0;

  // Calls body(pixel) for the input pixels in the window.
  template <typename Body>
  int64_t for_window(const T* image, int64_t row, int64_t column, const Body& body) const {
    int64_t top, bottom, left, right;
    h_.taps(row, 0, h_.input, &top, &bottom);
    w_.taps(column, 0, w_.input, &left, &right);
    for (int64_t i = top; i < bottom; ++i) {
      for (int64_t j = left; j < right; ++j)
        body(image + (h_.at(row, i) * w_.input + w_.at(column, j)) * x_stride_);
    }
    return std::max<int64_t>(0, bottom - top) * std::max<int64_t>(0, right - left);
  }

  Axis h_, w_;
  int64_t batch_ = 0, channels_ = 0, x_stride_ = 0, y_stride_ = 0;
  Range range_;
  bool count_padding_ = false;
};

template <typename T>
T low_of(const Range& range) {
  if constexpr (std::is_same_v<T, float>) return range.min;
  return static_cast<T>(range.q_min);
}
template <typename T>
T high_of(const Range& range) {
  if constexpr (std::is_same_v<T, float>) return range.max;
  return static_cast<T>(range.q_max);
}

template <typename T>
class MaxPoolKernel final : public PoolKernel<T> {
 private:
  void pool(const T* image, T* y, int64_t row, int64_t column) const override {
    // The clamp's lower bound is the smallest result, also of a window in the padding alone.
    const T low = low_of<T>(this->range_), high = high_of<T>(this->range_);
    const int64_t channels = this->channels_;
    for (int64_t c = 0; c < channels; ++c) y[c] = low;
    this->for_window(image, row, column, [&](const T* x) {
      for (int64_t c = 0; c < channels; ++c) y[c] = y[c] < x[c] ? x[c] : y[c];
    });
    for (int64_t c = 0; c < channels; ++c) y[c] = y[c] < high ? y[c] : high;
  }
};

class AveragePoolKernel final : public PoolKernel<float> {
 private:
  void pool(const float* image, float* y, int64_t row, int64_t column) const override {
    for (int64_t c = 0; c < channels_; ++c) y[c] = 0;
    int64_t count = for_window(image, row, column, [&](const float* x) {
      for (int64_t c = 0; c < channels_; ++c) y[c] += x[c];
    });
    if (count_padding_) count = padded_count(row, column);
    const float factor = 1.0f / static_cast<float>(std::max<int64_t>(1, count));
    for (int64_t c = 0; c < channels_; ++c) y[c] = std::clamp(y[c] * factor, range_.min, range_.max);
  }

  // Taps within the input and its padding; what lies past the padding (ceil_mode) never counts.
  int64_t padded_count(int64_t row, int64_t column) const {
    int64_t top, bottom, left, right;
    h_.taps(row, -h_.pad_before, h_.input + h_.pad_after, &top, &bottom);
    w_.taps(column, -w_.pad_before, w_.input + w_.pad_after, &left, &right);
    return std::max<int64_t>(0, bottom - top) * std::max<int64_t>(0, right - left);
  }
};

}  // namespace

Status create_generic_int8_max_pool2d(const OpContext& context, Kernel** out) {
  return make_kernel<MaxPoolKernel<int8_t>>(context, out);
}
Status create_generic_float_max_pool2d(const OpContext& context, Kernel** out) {
  return make_kernel<MaxPoolKernel<float>>(context, out);
}

Status create_generic_average_pool2d(const OpContext& context, Kernel** out) {
  return make_kernel<AveragePoolKernel>(context, out);
}

}  // namespace bantam::kernels
