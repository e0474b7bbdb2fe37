// See conversion.h. Compiled once per instruction set.
#include "float16/conversion.h"

#include "int8/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "float16/conversion.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Wide = hn::ScalableTag<float>;
using Half = hn::Rebind<hwy::float16_t, Wide>;
using Bits = hn::Rebind<uint16_t, Wide>;

// Where the processor has no instruction for it, Highway takes infinity and NaN for large numbers.
constexpr bool kWidensAll = HWY_ARCH_ARM_A64 || (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2);

HWY_INLINE hn::Vec<Wide> widened(hn::Vec<Bits> bits) {
  const Wide wide;
  const auto value = hn::PromoteTo(wide, hn::BitCast(Half(), bits));
  if constexpr (kWidensAll) return value;
  const hn::RebindToUnsigned<Wide> words;
  const auto exponent = hn::And(hn::PromoteTo(words, bits), hn::Set(words, 0x7c00));
  const auto all_ones =
      hn::IfThenElseZero(hn::Eq(exponent, hn::Set(words, 0x7c00)), hn::Set(words, 0x7f800000));
  return hn::Or(value, hn::BitCast(wide, all_ones));
}

void widen(const uint16_t* x, float* y, int64_t n) {
  const Wide wide;
  const Bits bits;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(widened(hn::LoadU(bits, x + i)), wide, y + i);
  if (i == n) return;
  const auto rest = static_cast<size_t>(n - i);
  hn::StoreN(widened(hn::LoadN(bits, x + i, rest)), wide, y + i, rest);
}

// Infinities and NaN stay; on ARM a minimum of NaN is the other number.
HWY_INLINE hn::Vec<Wide> limited(hn::Vec<Wide> v) {
  const Wide wide;
  const auto most = hn::Set(wide, kLargestHalf);
  return hn::IfThenElse(hn::IsFinite(v), hn::Min(most, hn::Max(hn::Neg(most), v)), v);
}

void narrow(const float* x, uint16_t* y, int64_t n) {
  const Wide wide;
  const Half half;
  const Bits bits;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::BitCast(bits, hn::DemoteTo(half, limited(hn::LoadU(wide, x + i)))), bits, y + i);
  }
  if (i == n) return;
  const auto rest = static_cast<size_t>(n - i);
  const auto last = limited(hn::LoadN(wide, x + i, rest));
  hn::StoreN(hn::BitCast(bits, hn::DemoteTo(half, last)), bits, y + i, rest);
}

WidenRow choose_widen() { return widen; }
NarrowRow choose_narrow() { return narrow; }

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bantam::kernels {

HWY_EXPORT(choose_widen);
HWY_EXPORT(choose_narrow);

WidenRow widen_row() { return HWY_DYNAMIC_DISPATCH(choose_widen)(); }
NarrowRow narrow_row() { return HWY_DYNAMIC_DISPATCH(choose_narrow)(); }

}  // namespace bantam::kernels
#endif  // HWY_ONCE
