// float16 to float32 and back, rows at a time.
#pragma once

#include <cstdint>

namespace bantam::kernels {

inline constexpr float kLargestHalf = 65504.0f;

// Exact.
using WidenRow = void (*)(const uint16_t* x, float* y, int64_t n);
WidenRow widen_row();

// Rounds to nearest, ties to even; finite numbers that are too large become the largest ones.
using NarrowRow = void (*)(const float* x, uint16_t* y, int64_t n);
NarrowRow narrow_row();

}  // namespace bantam::kernels
