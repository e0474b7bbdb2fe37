// Include before hwy/foreach_target.h. Which instruction sets our kernels are compiled for: SSE2, SSE4, AVX2
// and AVX-512 with VNNI and VBMI on x86, NEON on ARM. The others would grow the library for little.
#pragma once

// Without VFPv4 Highway has no vectors on 32-bit ARM, and its plain C++ in their place goes wrong with these
// compilers (GCC bug 106322).
#if defined(__arm__) && !defined(__ARM_FEATURE_FMA) && defined(__GNUC__) && !defined(__clang__) && \
    __GNUC__ < 14
#error "32-bit ARM needs -mfpu=neon-vfpv4"
#endif

#ifdef BANTAM_WITHOUT_AVX512
#define BANTAM_AVX512_DISABLED HWY_AVX3_DL
#else
#define BANTAM_AVX512_DISABLED 0
#endif
#define HWY_WANT_AVX3_DL 1
#define HWY_DISABLED_TARGETS                                                           \
  (HWY_SSSE3 | HWY_AVX3 | HWY_AVX3_ZEN4 | HWY_AVX3_SPR | HWY_NEON_BF16 | HWY_ALL_SVE | \
   BANTAM_AVX512_DISABLED | (HWY_ARCH_ARM_A64 ? HWY_NEON : 0))
