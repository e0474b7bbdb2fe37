// See float_rows.h. Compiled once per instruction set.
#include "vector/float_rows.h"

#include <cmath>
#include <limits>

#include "int8/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vector/norm_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// After highway.h.
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Calls function(vector, index, count) for whole vectors and then for the rest; lanes beyond count hold 0.
template <typename Function>
HWY_INLINE void for_vectors(const float* x, int64_t n, const Function& function) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) function(hn::LoadU(d, x + i), i, static_cast<size_t>(lanes));
  if (i < n) function(hn::LoadN(d, x + i, static_cast<size_t>(n - i)), i, static_cast<size_t>(n - i));
}

HWY_INLINE float max_of(const float* x, int64_t n) {
  const D d;
  V best = hn::Set(d, -std::numeric_limits<float>::infinity());
  for_vectors(x, n, [&](V v, int64_t, size_t count) HWY_ATTR {
    best = hn::IfThenElse(hn::FirstN(d, count), hn::Max(best, v), best);
  });
  return hn::ReduceMax(d, best);
}

// exp(v - shift) for an argument that is never above 0 (a NaN stays one).
HWY_INLINE V shifted_exp(V v, V shift) { return hn::Exp(D(), hn::Sub(v, shift)); }

void row_softmax(const float* x, float* y, int64_t n) {
  const D d;
  const V shift = hn::Set(d, max_of(x, n));
  V sum = hn::Zero(d);
  for_vectors(x, n, [&](V v, int64_t i, size_t count) HWY_ATTR {
    const V e = hn::IfThenElseZero(hn::FirstN(d, count), shifted_exp(v, shift));
    sum = hn::Add(sum, e);
    hn::StoreN(e, d, y + i, count);
  });
  const V factor = hn::Set(d, 1.0f / hn::ReduceSum(d, sum));
  for_vectors(
      y, n, [&](V v, int64_t i, size_t count) HWY_ATTR { hn::StoreN(hn::Mul(v, factor), d, y + i, count); });
}

void row_log_softmax(const float* x, float* y, int64_t n) {
  const D d;
  const float max = max_of(x, n);
  const V shift = hn::Set(d, max);
  V sum = hn::Zero(d);
  for_vectors(x, n, [&](V v, int64_t, size_t count) HWY_ATTR {
    sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, count), shifted_exp(v, shift)));
  });
  const V log_sum = hn::Set(d, std::log(hn::ReduceSum(d, sum)));
  for_vectors(x, n, [&](V v, int64_t i, size_t count) HWY_ATTR {
    hn::StoreN(hn::Sub(hn::Sub(v, shift), log_sum), d, y + i, count);
  });
}

void row_layer_norm(const float* x, const float* scale, const float* bias, float* y, int64_t n,
                    float epsilon) {
  const D d;
  V sum = hn::Zero(d);
  for_vectors(x, n, [&](V v, int64_t, size_t) HWY_ATTR { sum = hn::Add(sum, v); });
  const V mean = hn::Set(d, hn::ReduceSum(d, sum) / static_cast<float>(n));
  V squares = hn::Zero(d);
  for_vectors(x, n, [&](V v, int64_t, size_t count) HWY_ATTR {
    const V difference = hn::IfThenElseZero(hn::FirstN(d, count), hn::Sub(v, mean));
    squares = hn::MulAdd(difference, difference, squares);
  });
  const float variance = hn::ReduceSum(d, squares) / static_cast<float>(n);
  const V factor = hn::Set(d, 1.0f / std::sqrt(variance + epsilon));
  for_vectors(x, n, [&](V v, int64_t i, size_t count) HWY_ATTR {
    V value = hn::Mul(hn::Sub(v, mean), factor);
    if (scale != nullptr) value = hn::Mul(value, hn::LoadN(d, scale + i, count));
    if (bias != nullptr) value = hn::Add(value, hn::LoadN(d, bias + i, count));
    hn::StoreN(value, d, y + i, count);
  });
}

SoftmaxRow choose_softmax(bool log) { return log ? row_log_softmax : row_softmax; }
LayerNormRow choose_layer_norm() { return row_layer_norm; }

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bantam::kernels {

HWY_EXPORT(choose_softmax);
HWY_EXPORT(choose_layer_norm);

SoftmaxRow softmax_row(bool log) { return HWY_DYNAMIC_DISPATCH(choose_softmax)(log); }
LayerNormRow layer_norm_row() { return HWY_DYNAMIC_DISPATCH(choose_layer_norm)(); }

}  // namespace bantam::kernels
#endif  // HWY_ONCE
