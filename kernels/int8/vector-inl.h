// Pieces that the vector kernels share; compiled once per instruction set.
//
// "In-block" order: widening splits each 128-bit block of a vector into its lower and upper half and narrowing puts
// them together again, so lanes stay in their block and no shuffle across blocks is needed.

#if defined(BANTAM_INT8_VECTOR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_INT8_VECTOR_INL_H_
#undef BANTAM_INT8_VECTOR_INL_H_
#else
#define BANTAM_INT8_VECTOR_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using DI8 = hn::ScalableTag<int8_t>;
using DU8 = hn::ScalableTag<uint8_t>;
using DI16 = hn::ScalableTag<int16_t>;
using DI32 = hn::ScalableTag<int32_t>;
using DF32 = hn::ScalableTag<float>;
using VI8 = hn::Vec<DI8>;
using VI16 = hn::Vec<DI16>;
using VI32 = hn::Vec<DI32>;
using VF32 = hn::Vec<DF32>;

// Nearest int32, ties to even; v < 2^31.
template <class V, class DI = hn::RebindToSigned<hn::DFromV<V>>>
HWY_INLINE hn::Vec<DI> round_to_int(V v) {
#if HWY_TARGET <= HWY_SSE2
  return hn::NearestIntInRange(DI(), v);
#else
  return hn::NearestInt(v);
#endif
}

// round(float(acc) * scale)
template <class V32, class VF>
HWY_INLINE V32 scale_to_int(V32 acc, VF scale) {
  return round_to_int(hn::Mul(hn::ConvertTo(hn::DFromV<VF>(), acc), scale));
}

// Halves of int8 as int16 and of int16 as int32, in-block.
HWY_INLINE VI16 widen_lower(VI8 v) {
  return hn::ShiftRight<8>(hn::BitCast(DI16(), hn::InterleaveLower(DI8(), hn::Zero(DI8()), v)));
}
HWY_INLINE VI16 widen_upper(VI8 v) {
  return hn::ShiftRight<8>(hn::BitCast(DI16(), hn::InterleaveUpper(DI8(), hn::Zero(DI8()), v)));
}
HWY_INLINE VI32 widen_lower(VI16 v) {
  return hn::ShiftRight<16>(hn::BitCast(DI32(), hn::InterleaveLower(DI16(), hn::Zero(DI16()), v)));
}
HWY_INLINE VI32 widen_upper(VI16 v) {
  return hn::ShiftRight<16>(hn::BitCast(DI32(), hn::InterleaveUpper(DI16(), hn::Zero(DI16()), v)));
}

// Saturating inverses of the above.
HWY_INLINE VI16 narrow(VI32 lower, VI32 upper) { return hn::ReorderDemote2To(DI16(), lower, upper); }
HWY_INLINE VI8 narrow(VI16 lower, VI16 upper) { return hn::ReorderDemote2To(DI8(), lower, upper); }

// The end of every requantization: adds the zero point and clamps.
struct Output {
  VI16 zero_point;
  VI8 min, max;

  Output(int32_t zero_point_, int8_t min_, int8_t max_)
      : zero_point(hn::Set(DI16(), static_cast<int16_t>(zero_point_))),
        min(hn::Set(DI8(), min_)),
        max(hn::Set(DI8(), max_)) {}

  HWY_INLINE VI8 clamp(VI8 v) const { return hn::Min(hn::Max(v, min), max); }
  HWY_INLINE VI8 operator()(VI16 lower, VI16 upper) const {
    return clamp(narrow(hn::SaturatedAdd(lower, zero_point), hn::SaturatedAdd(upper, zero_point)));
  }
};

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
