#include <algorithm>

#include "int8/arithmetic.h"
#include "int8/int8_kernels.h"
#include "int8/window/window.h"
#include "kernel_support.h"
#include "threads.h"

namespace bantam::kernels {
namespace {

constexpr int32_t kOne = 1 << 23;  // 1 in the table's fixed point

class Softmax final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    length_ = x.dims[x.rank - 1];
    rows_ = length_ == 0 ? 0 : x.elements / length_;
    x_stride_ = x.pixel_stride;
    y_stride_ = y.pixel_stride;
    is_float_ = y.dtype == plan::DType::kFloat32;
    if (!is_float_) {
      scale_ = y.scale();
      zero_point_ = y.zero_point;
    }
    const auto* table = static_cast<const int32_t*>(context.input(1).data);
    for (int32_t i = 0; i < 256; ++i) {
      if (table[i] < 0 || table[i] > kOne)
        return unsupported(context, "the table of a softmax is out of range");
      exp_[i] = table[i];
    }
    return exp_[0] > 0 ? ok_status() : unsupported(context, "the table of a softmax begins with 0");
  }

  Status run(const RunContext& context) override {
    const int8_t* x = input_as<int8_t>(context, 0);
    parallel_ranges(context.threads, rows_, tile_for(4 * length_), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (is_float_) {
          run_row(x + i * x_stride_, output_as<float>(context) + i * y_stride_, [](float p) { return p; });
        } else {
          run_row(x + i * x_stride_, output_as<int8_t>(context) + i * y_stride_,
                  [this](float p) { return quantize(p, scale_, zero_point_); });
        }
      }
    });
    return ok_status();
  }

 private:
  // Long rows compute each of the 256 results once.
  template <typename T, typename Convert>
  void run_row(const int8_t* x, T* y, const Convert& convert) const {
    const int32_t top = row_max(x, static_cast<size_t>(length_));
    int64_t sum = 0;
    for (int64_t i = 0; i < length_; ++i) sum += exp_[top - x[i]];
    const float inverse_sum = 1.0f / static_cast<float>(sum);
    const auto result = [&](int32_t below_top) {
      return convert(static_cast<float>(exp_[below_top]) * inverse_sum);
    };
    if (length_ < 256) {
      for (int64_t i = 0; i < length_; ++i) y[i] = result(top - x[i]);
      return;
    }
    T results[256];
    for (int32_t i = 0; i < 256; ++i) results[i] = result(i);
    for (int64_t i = 0; i < length_; ++i) y[i] = results[top - x[i]];
  }

  int64_t rows_ = 0, length_ = 0, x_stride_ = 0, y_stride_ = 0;
  bool is_float_ = false;
  float scale_ = 1.0f;
  int32_t zero_point_ = 0;
  int32_t exp_[256] = {};
};

}  // namespace

// Over the last axis. The second input is the constant table, int32 [256]: table[d] = round(exp(-d * x_scale)
// * 2^23), which makes table[0] 2^23. With e = table[max of the row - x] and an exact sum of them, the result
// is p = float(e) * (1.0f / float(sum)), or quantize(p) for an int8 output (of scale 1/256 and zero point
// -128, usually).
Status create_int8_softmax(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  const plan::Softmax& softmax = *context.op->attributes_as_Softmax();
  if (x.dtype != plan::DType::kInt8 || (y.dtype != plan::DType::kInt8 && y.dtype != plan::DType::kFloat32)) {
    return unsupported(context, "not an int8 op");
  }
  if (softmax.log()) return unsupported(context, "no int8 kernel for a logarithmic softmax");
  if (x.rank == 0 || (softmax.axis() != -1 && softmax.axis() != x.rank - 1)) {
    return unsupported(context, "a softmax is over the last axis");
  }
  if (!context.has_input(1) || context.input(1).data == nullptr ||
      context.input(1).dtype != plan::DType::kInt32 || context.input(1).elements != 256) {
    return unsupported(context, "an int8 softmax needs a constant table of 256 exponentials");
  }
  if (y.dtype == plan::DType::kInt8 && !usable_scale(y)) return unsupported(context, "scale out of range");
  return make_kernel<Softmax>(context, out);
}

}  // namespace bantam::kernels
