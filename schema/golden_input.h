// The golden input: pseudo-random data that every machine makes alike, for golden hashes. A plan's golden
// hashes are those of the dense, row-major bytes that it computes from it.
//
// Element i of input k is made from r = mix(k * 2^40 + i), by dtype:
//   float32   quantized range given: scale * (a - zero_point), a = -128 .. 127.9375 in steps of 1/16
//             otherwise:             -1 .. 1 - 2^-10 in steps of 2^-10
//   float16   -1 .. 1 - 2^-10 in steps of 2^-10
//   int8, uint8: any;  int32, int64: 0..3;  bool: 0..1
// Each float needs at most one rounding, so compilers cannot make different bits of it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "plan_generated.h"

namespace bantam {

// The range of a float32 input: that of the first op that quantizes it. scale 0: no such op.
struct GoldenRange {
  float scale = 0;
  int32_t zero_point = 0;
};

namespace golden {

// splitmix64's output function (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
inline uint64_t mix(uint64_t x) {
  x = (x + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

inline float float_element(uint64_t r, GoldenRange range) {
  if (range.scale == 0) return static_cast<float>(static_cast<int32_t>(r >> 53) - 1024) * 0x1p-10f;
  const float a = static_cast<float>(static_cast<int32_t>(r >> 52) - 2048) * 0x1p-4f;
  return range.scale * (a - static_cast<float>(range.zero_point));
}

// Bits of the float16 m * 2^-10, |m| <= 1024.
inline uint16_t half_element(int32_t m) {
  const uint32_t sign = m < 0 ? 0x8000 : 0;
  const uint32_t magnitude = static_cast<uint32_t>(m < 0 ? -m : m);
  if (magnitude == 0) return static_cast<uint16_t>(sign);
  const int top = std::bit_width(magnitude) - 1;  // value = 1.f * 2^(top - 10)
  const uint32_t fraction = (magnitude << (10 - top)) & 0x3ff;
  return static_cast<uint16_t>(sign | static_cast<uint32_t>(top + 5) << 10 | fraction);
}

template <typename T>
void store(void* out, int64_t i, T value) {
  std::memcpy(static_cast<unsigned char*>(out) + static_cast<size_t>(i) * sizeof(T), &value, sizeof(T));
}

inline void store_element(plan::DType dtype, void* out, int64_t i, uint64_t r, GoldenRange range) {
  switch (dtype) {
    case plan::DType::kFloat32:
      return store(out, i, float_element(r, range));
    case plan::DType::kFloat16:
      return store(out, i, half_element(static_cast<int32_t>(r >> 53) - 1024));
    case plan::DType::kInt8:
    case plan::DType::kUInt8:
      return store(out, i, static_cast<uint8_t>(r >> 56));
    case plan::DType::kInt32:
      return store(out, i, static_cast<int32_t>(r >> 62));
    case plan::DType::kInt64:
      return store(out, i, static_cast<int64_t>(r >> 62));
    case plan::DType::kBool:
      return store(out, i, static_cast<uint8_t>(r >> 63));
  }
}

}  // namespace golden

// Writes `elements` elements of the plan's input number `input` to `out`.
inline void fill_golden_input(int32_t input, plan::DType dtype, int64_t elements, GoldenRange range,
                              void* out) {
  const uint64_t first = static_cast<uint64_t>(input) << 40;
  for (int64_t i = 0; i < elements; ++i) {
    golden::store_element(dtype, out, i, golden::mix(first + static_cast<uint64_t>(i)), range);
  }
}

}  // namespace bantam
