// Pieces that the vector kernels share; compiled once per instruction set.
//
// "In-block" order: widening splits each 128-bit block of a vector into its lower and upper half and
// narrowing puts them together again, so lanes stay in their block and no shuffle across blocks is needed.

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
using VU8 = hn::Vec<DU8>;
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

// Saturating inverses of widening.
template <class V32, class D16 = hn::Repartition<int16_t, hn::DFromV<V32>>, HWY_IF_I32_D(hn::DFromV<V32>)>
HWY_INLINE hn::Vec<D16> narrow(V32 lower, V32 upper) {
  return hn::ReorderDemote2To(D16(), lower, upper);
}
template <class V16, class D8 = hn::Repartition<int8_t, hn::DFromV<V16>>, HWY_IF_I16_D(hn::DFromV<V16>)>
HWY_INLINE hn::Vec<D8> narrow(V16 lower, V16 upper) {
  return hn::ReorderDemote2To(D8(), lower, upper);
}

// The end of every requantization: adds the zero point and clamps. D: int8.
template <class D>
struct OutputOf {
  using D16 = hn::Repartition<int16_t, D>;
  using V8 = hn::Vec<D>;
  using V16 = hn::Vec<D16>;

  V16 zero_point;
  V8 min, max;

  OutputOf(int32_t zero_point_, int8_t min_, int8_t max_)
      : zero_point(hn::Set(D16(), static_cast<int16_t>(zero_point_))),
        min(hn::Set(D(), min_)),
        max(hn::Set(D(), max_)) {}

  HWY_INLINE V8 clamp(V8 v) const { return hn::Min(hn::Max(v, min), max); }
  HWY_INLINE V8 operator()(V16 lower, V16 upper) const {
    return clamp(narrow(hn::SaturatedAdd(lower, zero_point), hn::SaturatedAdd(upper, zero_point)));
  }
};
using Output = OutputOf<DI8>;

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
