// See float_rows.h. Compiled once per instruction set.
#include "vector/float_rows.h"

#include "int8/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vector/binary_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "vector/clamp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using plan::BinaryKind;

template <BinaryKind kKind>
HWY_INLINE V apply(V a, V b) {
  if constexpr (kKind == BinaryKind::kAdd) return hn::Add(a, b);
  if constexpr (kKind == BinaryKind::kSub) return hn::Sub(a, b);
  if constexpr (kKind == BinaryKind::kMul) return hn::Mul(a, b);
  if constexpr (kKind == BinaryKind::kDiv) return hn::Div(a, b);
  if constexpr (kKind == BinaryKind::kMin) return hn::Min(a, b);
  if constexpr (kKind == BinaryKind::kMax) return hn::Max(a, b);
  if constexpr (kKind == BinaryKind::kPRelu)
    return hn::IfThenElse(hn::Lt(a, hn::Zero(D())), hn::Mul(a, b), a);
}

template <BinaryKind kKind, Operands kOperands>
void row(const float* a, const float* b, float* y, int64_t n, float low, float high) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const V min = hn::Set(d, low), max = hn::Set(d, high);
  const V scalar = hn::Set(d, kOperands == Operands::kRows           ? 0.0f
                              : kOperands == Operands::kScalarAndRow ? *a
                                                                     : *b);
  const auto finish = [&](V value) HWY_ATTR { return clamped(value, min, max); };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V va = kOperands == Operands::kScalarAndRow ? scalar : hn::LoadU(d, a + i);
    const V vb = kOperands == Operands::kRowAndScalar ? scalar : hn::LoadU(d, b + i);
    hn::StoreU(finish(apply<kKind>(va, vb)), d, y + i);
  }
  if (i < n) {
    const auto rest = static_cast<size_t>(n - i);
    const V va = kOperands == Operands::kScalarAndRow ? scalar : hn::LoadN(d, a + i, rest);
    const V vb = kOperands == Operands::kRowAndScalar ? scalar : hn::LoadN(d, b + i, rest);
    hn::StoreN(finish(apply<kKind>(va, vb)), d, y + i, rest);
  }
}

template <Operands kOperands>
BinaryRow choose(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
      return row<BinaryKind::kAdd, kOperands>;
    case BinaryKind::kSub:
      return row<BinaryKind::kSub, kOperands>;
    case BinaryKind::kMul:
      return row<BinaryKind::kMul, kOperands>;
    case BinaryKind::kDiv:
      return row<BinaryKind::kDiv, kOperands>;
    case BinaryKind::kMin:
      return row<BinaryKind::kMin, kOperands>;
    case BinaryKind::kMax:
      return row<BinaryKind::kMax, kOperands>;
    case BinaryKind::kPRelu:
      return row<BinaryKind::kPRelu, kOperands>;
    default:
      return nullptr;
  }
}

BinaryRow choose_binary(BinaryKind kind, Operands operands) {
  switch (operands) {
    case Operands::kRows:
      return choose<Operands::kRows>(kind);
    case Operands::kRowAndScalar:
      return choose<Operands::kRowAndScalar>(kind);
    default:
      return choose<Operands::kScalarAndRow>(kind);
  }
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bantam::kernels {

HWY_EXPORT(choose_binary);

BinaryRow binary_row(plan::BinaryKind kind, Operands operands) {
  return HWY_DYNAMIC_DISPATCH(choose_binary)(kind, operands);
}

}  // namespace bantam::kernels
#endif  // HWY_ONCE
