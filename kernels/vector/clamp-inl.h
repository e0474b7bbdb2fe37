// Bounds that let NaN through; compiled once per instruction set.

#if defined(BANTAM_VECTOR_CLAMP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_VECTOR_CLAMP_INL_H_
#undef BANTAM_VECTOR_CLAMP_INL_H_
#else
#define BANTAM_VECTOR_CLAMP_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

// Of a NaN and a number x86's minimum is the second argument, AArch64's the number.
template <class V>
HWY_INLINE V at_most(V x, V limit) {
#if HWY_ARCH_X86
  return hwy::HWY_NAMESPACE::Min(limit, x);
#else
  return hwy::HWY_NAMESPACE::IfThenElse(hwy::HWY_NAMESPACE::Gt(x, limit), limit, x);
#endif
}
template <class V>
HWY_INLINE V at_least(V x, V limit) {
#if HWY_ARCH_X86
  return hwy::HWY_NAMESPACE::Max(limit, x);
#else
  return hwy::HWY_NAMESPACE::IfThenElse(hwy::HWY_NAMESPACE::Lt(x, limit), limit, x);
#endif
}
template <class V>
HWY_INLINE V clamped(V x, V low, V high) {
  return at_most(at_least(x, low), high);
}

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
