#include "int8/arithmetic.h"
#include "int8/int8_kernels.h"
#include "int8/window/window.h"
#include "kernel_support.h"
#include "threads.h"

namespace bantam::kernels {
namespace {

using plan::ReduceKind;

// x as [outer, count, inner], where `count` is reduced.
struct Split {
  int64_t outer = 1, count = 1, inner = 1;
};

// False when an axis of length above 1 that stays lies between two that are reduced.
bool split_axes(const TensorInfo& x, const plan::Reduce& reduce, Split& split) {
  bool reduced[kMaxRank] = {};
  for (int32_t axis : *reduce.axes()) reduced[axis < 0 ? axis + x.rank : axis] = true;
  enum { kOuter, kCount, kInner } part = kOuter;
  for (int32_t axis = 0; axis < x.rank; ++axis) {
    const int64_t dim = x.dims[axis];
    if (dim == 1) continue;
    if (reduced[axis]) {
      if (part == kInner) return false;
      part = kCount;
      split.count *= dim;
    } else if (part == kOuter) {
      split.outer *= dim;
    } else {
      part = kInner;
      split.inner *= dim;
    }
  }
  return true;
}

class Reduce final : public Kernel {
 public:
  Status init(const OpContext& context, const Split& split) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    kind_ = context.op->attributes_as_Reduce()->kind();
    split_ = split;
    sum_.bias = static_cast<int32_t>(-x.zero_point * split.count);
    sum_.scale = x.scale() / y.scale();
    if (kind_ == ReduceKind::kMean) sum_.scale /= static_cast<float>(split.count);
    sum_.y_zero = y.zero_point;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const int8_t* x = input_as<int8_t>(context, 0);
    int8_t* y = output_as<int8_t>(context);
    if (split_.inner == 1) {
      parallel_ranges(context.threads, split_.outer, tile_for(split_.count), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) y[i] = reduce_row(x + i * split_.count);
      });
      return ok_status();
    }
    const int64_t pieces = (split_.inner + kPiece - 1) / kPiece;
    const int64_t cost = split_.count * std::min(split_.inner, kPiece);
    parallel_ranges(context.threads, split_.outer * pieces, tile_for(cost), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t outer = i / pieces, inner = i % pieces * kPiece;
        reduce_window({x + outer * split_.count * split_.inner + inner, 1, 0, split_.count, split_.inner},
                      y + outer * split_.inner + inner,
                      static_cast<size_t>(std::min(kPiece, split_.inner - inner)));
      }
    });
    return ok_status();
  }

 private:
  static constexpr int64_t kPiece = 256;

  int8_t reduce_row(const int8_t* x) const {
    const auto count = static_cast<size_t>(split_.count);
    switch (kind_) {
      case ReduceKind::kMax:
        return row_max(x, count);
      case ReduceKind::kMin:
        return row_min(x, count);
      default:
        return requantize(row_sum(x, count) + sum_.bias, sum_.scale, sum_.y_zero);
    }
  }

  void reduce_window(const Window& window, int8_t* y, size_t channels) const {
    switch (kind_) {
      case ReduceKind::kMax:
        return window_max(window, y, channels);
      case ReduceKind::kMin:
        return window_min(window, y, channels);
      default:
        return window_sum(window, sum_, y, channels);
    }
  }

  ReduceKind kind_ = ReduceKind::kMean;
  Split split_;
  WindowSum sum_;
};

}  // namespace

// y = requantize(sum of (x - x_zero), x_scale / y_scale, y_zero), for kMean with (x_scale / y_scale) /
// float(count). Relies on dense tensors.
Status create_int8_reduce(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& y = context.output();
  const plan::Reduce& reduce = *context.op->attributes_as_Reduce();
  const ReduceKind kind = reduce.kind();
  if (x.dtype != plan::DType::kInt8 || y.dtype != plan::DType::kInt8)
    return unsupported(context, "not an int8 op");
  if (!x.dense() || !y.dense()) return unsupported(context, "an int8 reduction needs dense tensors");
  if (!usable_scale(x) || !usable_scale(y)) return unsupported(context, "scale out of range");
  const bool extremum = kind == ReduceKind::kMax || kind == ReduceKind::kMin;
  if (!extremum && kind != ReduceKind::kMean && kind != ReduceKind::kSum) {
    return unsupported(context, "no int8 kernel for this kind of reduction");
  }
  if (extremum && (x.scale() != y.scale() || x.zero_point != y.zero_point)) {
    return unsupported(context, "int8 max and min need one quantization for input and output");
  }
  if (reduce.axes() == nullptr || reduce.axes()->size() == 0)
    return unsupported(context, "an int8 reduction over no axis");
  Split split;
  if (!split_axes(x, reduce, split)) return unsupported(context, "int8 reductions need neighbouring axes");
  if (split.count > (int64_t{1} << 22)) return unsupported(context, "too many elements to sum");
  return make_kernel<Reduce>(context, out, split);
}

}  // namespace bantam::kernels
