#include "bantam/runtime/array.h"
#include "int8/arithmetic.h"
#include "int8/int8_kernels.h"
#include "int8/window/window.h"
#include "kernel_support.h"
#include "threads.h"

namespace bantam::kernels {
namespace {

// What a window covers along one axis.
struct Taps {
  int64_t first = 0;    // of the input
  int64_t inside = 0;   // taps on the input
  int64_t counted = 0;  // of the divisor
};

// Taps on the padding count when `count_pad` is set, but never those past it, where ceil_mode lets windows
// end.
Taps taps_of(int64_t start, int64_t kernel, int64_t dilation, int64_t size, int64_t pad_after,
             bool count_pad) {
  Taps taps;
  for (int64_t k = 0; k < kernel; ++k) {
    const int64_t position = start + k * dilation;
    const bool inside = position >= 0 && position < size;
    if (inside && taps.inside == 0) taps.first = position;
    taps.inside += inside;
    taps.counted += inside || (count_pad && position < size + pad_after);
  }
  return taps;
}

class AveragePool final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const plan::Pool2d& pool = *context.op->attributes_as_Pool2d();
    batch_ = y.dims[0];
    height_ = y.dims[1];
    width_ = y.dims[2];
    channels_ = y.dims[3];
    x_zero_ = x.zero_point;
    ratio_ = x.scale() / y.scale();
    image_ = static_cast<int64_t>(x.dims[1]) * x.dims[2] * channels_;
    row_step_ = static_cast<int64_t>(x.dims[2]) * channels_;
    row_stride_ = row_step_ * pool.dilation_h();
    column_stride_ = static_cast<int64_t>(channels_) * pool.dilation_w();
    const QRange range = q_range(pool.clamp());
    sum_.y_zero = y.zero_point;
    sum_.y_min = range.min;
    sum_.y_max = range.max;
    if (!rows_.allocate(static_cast<size_t>(height_)) || !columns_.allocate(static_cast<size_t>(width_))) {
      return out_of_memory(context);
    }
    for (int64_t i = 0; i < height_; ++i) {
      rows_[static_cast<size_t>(i)] =
          taps_of(i * pool.stride_h() - pool.pad_top(), pool.kernel_h(), pool.dilation_h(), x.dims[1],
                  pool.pad_bottom(), pool.count_include_pad());
    }
    for (int64_t i = 0; i < width_; ++i) {
      columns_[static_cast<size_t>(i)] =
          taps_of(i * pool.stride_w() - pool.pad_left(), pool.kernel_w(), pool.dilation_w(), x.dims[2],
                  pool.pad_right(), pool.count_include_pad());
    }
    cost_ = static_cast<int64_t>(width_) * channels_ * pool.kernel_h() * pool.kernel_w();
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const int8_t* x = input_as<int8_t>(context, 0);
    int8_t* y = output_as<int8_t>(context);
    parallel_ranges(context.threads, batch_ * height_, tile_for(cost_), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        run_row(x + row / height_ * image_, rows_[static_cast<size_t>(row % height_)],
                y + row * width_ * channels_);
      }
    });
    return ok_status();
  }

  size_t state_bytes() const override { return (rows_.size() + columns_.size()) * sizeof(Taps); }

 private:
  void run_row(const int8_t* image, const Taps& rows, int8_t* y) const {
    WindowSum sum = sum_;
    for (int64_t i = 0; i < width_; ++i) {
      const Taps& columns = columns_[static_cast<size_t>(i)];
      const int64_t inside = rows.inside * columns.inside, counted = rows.counted * columns.counted;
      sum.bias = static_cast<int32_t>(-x_zero_ * inside);
      sum.scale = counted == 0 ? 0.0f : ratio_ / static_cast<float>(counted);
      const Window window = {image + rows.first * row_step_ + columns.first * channels_, rows.inside,
                             row_stride_, columns.inside, column_stride_};
      window_sum(window, sum, y + i * channels_, static_cast<size_t>(channels_));
    }
  }

  int64_t batch_ = 0, height_ = 0, width_ = 0, channels_ = 0;
  int64_t image_ = 0, row_step_ = 0, row_stride_ = 0, column_stride_ = 0;  // of x, in elements
  int64_t cost_ = 0;
  int32_t x_zero_ = 0;
  float ratio_ = 0;
  WindowSum sum_;
  Array<Taps> rows_, columns_;
};

}  // namespace

// ONNX AveragePool-22. y = requantize(sum of (x - x_zero) on the input, (x_scale / y_scale) / float(divisor),
// y_zero). Relies on dense tensors of rank 4.
Status create_int8_average_pool(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  const plan::Pool2d& pool = *context.op->attributes_as_Pool2d();
  if (x.dtype != plan::DType::kInt8 || y.dtype != plan::DType::kInt8)
    return unsupported(context, "not an int8 op");
  if (!x.dense() || !y.dense()) return unsupported(context, "an int8 pool needs dense tensors");
  if (!usable_scale(x) || !usable_scale(y)) return unsupported(context, "scale out of range");
  if (static_cast<int64_t>(pool.kernel_h()) * pool.kernel_w() > (int64_t{1} << 22)) {
    return unsupported(context, "window too large");
  }
  return make_kernel<AveragePool>(context, out);
}

}  // namespace bantam::kernels
