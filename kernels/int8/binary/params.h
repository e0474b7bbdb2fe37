// What int8 binary ops compute with, and how sums get it.
#pragma once

#include <algorithm>

#include "int8/arithmetic.h"
#include "kernel_support.h"

namespace bantam::kernels {

struct BinaryParams {
  int32_t a_zero = 0, b_zero = 0, y_zero = 0;
  QRange range;
  float scale = 0;  // kMul: a_scale * b_scale / y_scale
  // kAdd, kSub: y = (a * a_multiplier + b * b_multiplier + bias) >> shift, the rounding half and all zero
  // points in the bias.
  int16_t a_multiplier = 0, b_multiplier = 0;
  int32_t bias = 0;
  int32_t shift = 0;
  // kAdd, kSub as ONNX Runtime rounds them: see create_int8_binary.
  float a_ratio = 0, b_ratio = 0, fixed_part = 0;
  bool is_uint8 = false;
};

// 15-bit multipliers; the larger of the two ratios uses them to the full. False where the scales are too
// far apart.
inline bool set_sum(const TensorInfo& a, const TensorInfo& b, const TensorInfo& y, bool subtract,
                    BinaryParams& p) {
  const float a_ratio = a.scale() / y.scale(), b_ratio = b.scale() / y.scale();
  const float larger = std::max(a_ratio, b_ratio);
  if (!(larger < 256.0f) || larger < 0x1p-8f) return false;
  float unit = 64.0f;
  p.shift = 6;
  while (larger * unit < 16384.0f - 0.5f) {
    unit *= 2;
    ++p.shift;
  }
  p.a_multiplier = static_cast<int16_t>(std::min(round_to_nearest_even(a_ratio * unit), 32767));
  p.b_multiplier = static_cast<int16_t>(std::min(round_to_nearest_even(b_ratio * unit), 32767));
  if (subtract) p.b_multiplier = static_cast<int16_t>(-p.b_multiplier);
  p.bias = y.zero_point * (1 << p.shift) + (1 << (p.shift - 1)) - a.zero_point * p.a_multiplier -
           b.zero_point * p.b_multiplier;
  return true;
}

// False where the scales are too far apart for sums without FMA to be exact (sums-inl.h).
inline bool set_onnx_sum(const TensorInfo& a, const TensorInfo& b, const TensorInfo& y, bool subtract,
                         BinaryParams& p) {
  p.a_ratio = a.scale() / y.scale();
  p.b_ratio = b.scale() / y.scale();
  for (const float ratio : {p.a_ratio, p.b_ratio}) {
    if (!(ratio < 256.0f) || ratio < 0x1p-12f) return false;
  }
  if (subtract) p.b_ratio = -p.b_ratio;
  const int32_t offset = p.is_uint8 ? 128 : 0;
  const float a_part = p.a_ratio * static_cast<float>(a.zero_point + offset);
  const float b_part = p.b_ratio * static_cast<float>(b.zero_point + offset);
  p.fixed_part = static_cast<float>(y.zero_point + offset) - (a_part + b_part);
  return true;
}

}  // namespace bantam::kernels
