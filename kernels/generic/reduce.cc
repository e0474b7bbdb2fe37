#include <algorithm>
#include <cmath>
#include <limits>

#include "generic/scalar_ops.h"
#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"

namespace bantam::kernels {

namespace {

using plan::DType;
using plan::ReduceKind;

template <ReduceKind kKind, typename T>
constexpr T start_value() {
  if constexpr (kKind == ReduceKind::kMax) {
    return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::lowest();
  } else if constexpr (kKind == ReduceKind::kMin) {
    return std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::max();
  } else {
    return kKind == ReduceKind::kProd ? T{1} : T{0};
  }
}

template <ReduceKind kKind, typename T>
T add_element(T sum, T x) {
  if constexpr (kKind == ReduceKind::kMax) return sum < x ? x : sum;
  if constexpr (kKind == ReduceKind::kMin) return x < sum ? x : sum;
  if constexpr (kKind == ReduceKind::kProd) return wrapping_mul(sum, x);
  if constexpr (kKind == ReduceKind::kL1) return wrapping_add(sum, x < 0 ? wrapping_sub<T>(0, x) : x);
  if constexpr (kKind == ReduceKind::kL2 || kKind == ReduceKind::kSumSquare) {
    return wrapping_add(sum, wrapping_mul(x, x));
  }
  return wrapping_add(sum, x);  // kSum, kMean
}
// Joins two partial results.
template <ReduceKind kKind, typename T>
T join(T a, T b) {
  constexpr bool kPlain =
      kKind == ReduceKind::kMax || kKind == ReduceKind::kMin || kKind == ReduceKind::kProd;
  return add_element < kPlain ? kKind : ReduceKind::kSum > (a, b);
}
template <ReduceKind kKind, typename T>
T final_value(T sum, int64_t count) {
  if constexpr (kKind == ReduceKind::kMean) return safe_div(sum, static_cast<T>(count));
  if constexpr (kKind == ReduceKind::kL2) return static_cast<T>(std::sqrt(sum));
  return sum;
}

// The axes of x: those kept, in the order of y, and those reduced; each group joined as in Loop.
struct Axes {
  Loop<2> kept;     // of x and y
  Loop<1> reduced;  // of x
  int64_t count = 1;

  Axes(const TensorInfo& x, const TensorInfo& y, const bool (&is_reduced)[kMaxRank], bool keep_dims) {
    const Layout from = layout_of(x), to = layout_of(y);
    Layout kept_x, kept_y, rest;
    for (int32_t axis = 0, out = 0; axis < x.rank; ++axis) {
      if (is_reduced[axis]) {
        rest.dims[rest.rank] = from.dims[axis];
        rest.strides[rest.rank++] = from.strides[axis];
        count *= from.dims[axis];
        out += keep_dims;
        continue;
      }
      kept_x.dims[kept_x.rank] = kept_y.dims[kept_y.rank] = from.dims[axis];
      kept_x.strides[kept_x.rank++] = from.strides[axis];
      kept_y.strides[kept_y.rank++] = to.strides[out++];
    }
    kept = make_loop<2>({kept_x, kept_y});
    reduced = make_loop<1>({rest});
  }
};

// Offsets of a Loop<1>, one after the other, without threads.
template <typename Body>
void for_each_reduced_row(const Loop<1>& loop, const Body& body) {
  for_each_run(nullptr, loop, 1, [&](const int64_t* offsets, int64_t count) { body(offsets[0], count); });
}

template <ReduceKind kKind, typename T>
class ReduceKernel final : public Kernel {
 public:
  Status init(const OpContext&, const Axes& axes) {
    kept_ = axes.kept;
    reduced_ = axes.reduced;
    count_ = axes.count;
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const T* x = input_as<T>(context, 0);
    T* y = output_as<T>(context);
    // The innermost axis of x is either kept, and then whole rows are added up, or reduced within rows.
    const bool by_columns = kept_.row_stride(0) == 1 && kept_.row_stride(1) == 1 && kept_.row_length() > 1;
    // No thread gets less than 16 columns, a cache line of floats.
    for_each_run(
        context.threads, kept_, std::clamp<int64_t>(count_, 1, 1024), [&](const int64_t* offsets, int64_t n) {
          if (by_columns) {
            add_rows(x + offsets[0], y + offsets[1], n);
          } else {
            for (int64_t i = 0; i < n; ++i) {
              y[offsets[1] + i * kept_.row_stride(1)] = reduce_one(x + offsets[0] + i * kept_.row_stride(0));
            }
          }
        });
    return ok_status();
  }

 private:
  void add_rows(const T* x, T* y, int64_t n) const {
    constexpr int64_t kBlock = 1024;  // stays in the first-level cache
    for (int64_t begin = 0; begin < n; begin += kBlock) {
      const int64_t length = std::min(kBlock, n - begin);
      T* sums = y + begin;
      for (int64_t i = 0; i < length; ++i) sums[i] = start_value<kKind, T>();
      for_each_reduced_row(reduced_, [&](int64_t offset, int64_t count) {
        const T* row = x + begin + offset;
        for (int64_t k = 0; k < count; ++k, row += reduced_.row_stride(0)) {
          for (int64_t i = 0; i < length; ++i) sums[i] = add_element<kKind>(sums[i], row[i]);
        }
      });
      for (int64_t i = 0; i < length; ++i) sums[i] = final_value<kKind>(sums[i], count_);
    }
  }

  T reduce_one(const T* x) const {
    constexpr int kLanes = 16;
    T lanes[kLanes];
    for (T& lane : lanes) lane = start_value<kKind, T>();
    const int64_t stride = reduced_.row_stride(0);
    for_each_reduced_row(reduced_, [&](int64_t offset, int64_t count) {
      const T* row = x + offset;
      int64_t i = 0;
      if (stride == 1) {
        for (; i + kLanes <= count; i += kLanes) {
          for (int k = 0; k < kLanes; ++k) lanes[k] = add_element<kKind>(lanes[k], row[i + k]);
        }
      }
      for (; i < count; ++i) lanes[i % kLanes] = add_element<kKind>(lanes[i % kLanes], row[i * stride]);
    });
    T sum = lanes[0];
    for (int k = 1; k < kLanes; ++k) sum = join<kKind>(sum, lanes[k]);
    return final_value<kKind>(sum, count_);
  }

  Loop<2> kept_;
  Loop<1> reduced_;
  int64_t count_ = 1;
};

template <typename T>
Status make_reduce(const OpContext& context, ReduceKind kind, const Axes& axes, Kernel** out) {
  switch (kind) {
    case ReduceKind::kSum:
      return make_kernel<ReduceKernel<ReduceKind::kSum, T>>(context, out, axes);
    case ReduceKind::kMean:
      return make_kernel<ReduceKernel<ReduceKind::kMean, T>>(context, out, axes);
    case ReduceKind::kMax:
      return make_kernel<ReduceKernel<ReduceKind::kMax, T>>(context, out, axes);
    case ReduceKind::kMin:
      return make_kernel<ReduceKernel<ReduceKind::kMin, T>>(context, out, axes);
    case ReduceKind::kL2:
      return make_kernel<ReduceKernel<ReduceKind::kL2, T>>(context, out, axes);
    case ReduceKind::kL1:
      return make_kernel<ReduceKernel<ReduceKind::kL1, T>>(context, out, axes);
    case ReduceKind::kProd:
      return make_kernel<ReduceKernel<ReduceKind::kProd, T>>(context, out, axes);
    case ReduceKind::kSumSquare:
      return make_kernel<ReduceKernel<ReduceKind::kSumSquare, T>>(context, out, axes);
  }
  return unsupported(context, "no such reduction");
}

}  // namespace

// Relies on: axes within x, y of the dtype of x, its shape that of x with the reduced axes 1 or left out.
template <DType kType>
Status create_reduce(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const plan::Reduce& attributes = *context.op->attributes_as_Reduce();
  const auto* given = attributes.axes();
  const bool any = given != nullptr && given->size() > 0;
  if (context.output().dtype != x.dtype) return unsupported(context, "an output of another type");
  bool is_reduced[kMaxRank] = {};
  for (uint32_t i = 0; any && i < given->size(); ++i) {
    const int32_t axis = given->Get(i);
    is_reduced[axis < 0 ? axis + x.rank : axis] = true;
  }
  const Axes axes(x, context.output(), is_reduced, attributes.keep_dims());
  return make_reduce<ElementOf<kType>>(context, attributes.kind(), axes, out);
}

template Status create_reduce<DType::kFloat32>(const OpContext& context, Kernel** out);
template Status create_reduce<DType::kInt32>(const OpContext& context, Kernel** out);
template Status create_reduce<DType::kInt64>(const OpContext& context, Kernel** out);

}  // namespace bantam::kernels
