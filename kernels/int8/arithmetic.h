// The scalar definitions behind int8_kernels.h, for tables and multipliers made at creation.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

// For |v| <= 2^22.
inline int32_t round_to_nearest_even(float v) { return std::bit_cast<int32_t>(v + 12582912.0f) - 0x4b400000; }

inline int8_t requantize(int32_t acc, float scale, int32_t zero_point, int32_t q_min = -128,
                         int32_t q_max = 127) {
  const float scaled = std::clamp(static_cast<float>(acc) * scale, -1024.0f, 1024.0f);
  return static_cast<int8_t>(std::clamp(round_to_nearest_even(scaled) + zero_point, q_min, q_max));
}

// `x` must not be NaN.
inline int8_t quantize(float x, float scale, int32_t zero_point) {
  const float scaled = std::clamp(x / scale, -1024.0f, 1024.0f);
  return static_cast<int8_t>(std::clamp(round_to_nearest_even(scaled) + zero_point, -128, 127));
}

// Vector code converts float(acc) * scale to int32, so that product has to stay below 2^31. Above 2^14 every
// acc != 0 saturates anyway.
inline float capped_ratio(float ratio) { return std::min(ratio, 16384.0f); }

// Scales whose reciprocal and products are normal numbers on every CPU.
inline bool usable_scale(const TensorInfo& tensor) {
  return tensor.scale_count == 1 && tensor.scale() >= 0x1p-60f && tensor.scale() <= 0x1p60f;
}

// The op's own clamp of an int8 result.
struct QRange {
  int8_t min = -128;
  int8_t max = 127;
};
inline QRange q_range(const plan::Clamp* clamp) {
  return clamp == nullptr ? QRange{} : QRange{clamp->q_min(), clamp->q_max()};
}

}  // namespace bantam::kernels
