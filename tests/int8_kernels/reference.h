// The definitions in int8_kernels.h, written down once more in the plainest way.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace bantam::test {

inline int8_t saturate(double value, int32_t q_min = -128, int32_t q_max = 127) {
  return static_cast<int8_t>(std::clamp(value, double(q_min), double(q_max)));
}

inline int8_t requantize(int32_t acc, float scale, int32_t zero_point, int32_t q_min = -128,
                         int32_t q_max = 127) {
  const float scaled = static_cast<float>(acc) * scale;
  return saturate(std::nearbyint(double(scaled)) + zero_point, q_min, q_max);
}

inline int8_t quantize(float x, float scale, int32_t zero_point) {
  const float scaled = x / scale;
  return std::isnan(scaled) ? static_cast<int8_t>(zero_point)
                            : saturate(std::nearbyint(double(scaled)) + zero_point);
}

}  // namespace bantam::test
