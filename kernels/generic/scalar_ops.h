// What the ops do to one element, for the types and kinds that have no vector code of our own (float_rows.h).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "plan_generated.h"

namespace bantam::kernels {

namespace detail {
template <plan::DType kType>
struct Element;
template <>
struct Element<plan::DType::kFloat32> {
  using Type = float;
};
template <>
struct Element<plan::DType::kInt8> {
  using Type = int8_t;
};
template <>
struct Element<plan::DType::kUInt8> {
  using Type = uint8_t;
};
template <>
struct Element<plan::DType::kInt32> {
  using Type = int32_t;
};
template <>
struct Element<plan::DType::kInt64> {
  using Type = int64_t;
};
}  // namespace detail

// The C++ type of a tensor's elements, for those that have arithmetic.
template <plan::DType kType>
using ElementOf = typename detail::Element<kType>::Type;

// Integers wrap around, as in the frameworks that write ONNX; in C++ only unsigned ones may.
template <typename T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  } else {
    return a + b;
  }
}
template <typename T>
T wrapping_sub(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
  } else {
    return a - b;
  }
}
template <typename T>
T wrapping_mul(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<std::common_type_t<T, int>>;
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
  } else {
    return a * b;
  }
}

// Division by zero gives 0, the smallest number divided by -1 itself.
template <typename T>
T safe_div(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == T(-1)) return wrapping_sub<T>(0, a);
    }
  }
  return static_cast<T>(a / b);
}

// With the sign of the dividend (C, ONNX Mod with fmod = 1).
template <typename T>
T truncated_mod(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == T(-1)) return 0;
    }
    return static_cast<T>(a % b);
  }
}
// With the sign of the divisor (Python, ONNX Mod with fmod = 0).
template <typename T>
T floored_mod(T a, T b) {
  const T rest = truncated_mod(a, b);
  return rest != 0 && ((rest < 0) != (b < 0)) ? static_cast<T>(rest + b) : rest;
}

template <typename T>
T power(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::pow(a, b);
  } else {
    if (b < 0) return a == 1 ? 1 : a == T(-1) ? (b % 2 == 0 ? 1 : T(-1)) : 0;
    T result = 1;
    for (; b > 0; b = static_cast<T>(b / 2)) {
      if (b % 2 != 0) result = wrapping_mul(result, a);
      a = wrapping_mul(a, a);
    }
    return result;
  }
}

template <plan::BinaryKind kKind, typename T>
T arithmetic(T a, T b) {
  using plan::BinaryKind;
  if constexpr (kKind == BinaryKind::kAdd) return wrapping_add(a, b);
  if constexpr (kKind == BinaryKind::kSub) return wrapping_sub(a, b);
  if constexpr (kKind == BinaryKind::kMul) return wrapping_mul(a, b);
  if constexpr (kKind == BinaryKind::kDiv) return safe_div(a, b);
  if constexpr (kKind == BinaryKind::kMin) return b < a ? b : a;
  if constexpr (kKind == BinaryKind::kMax) return a < b ? b : a;
  if constexpr (kKind == BinaryKind::kPow) return power(a, b);
  if constexpr (kKind == BinaryKind::kPRelu) return a < 0 ? wrapping_mul(a, b) : a;
  if constexpr (kKind == BinaryKind::kMod) return floored_mod(a, b);
  if constexpr (kKind == BinaryKind::kFmod) return truncated_mod(a, b);
}

template <plan::BinaryKind kKind, typename T>
bool comparison(T a, T b) {
  using plan::BinaryKind;
  if constexpr (kKind == BinaryKind::kEqual) return a == b;
  if constexpr (kKind == BinaryKind::kLess) return a < b;
  if constexpr (kKind == BinaryKind::kLessOrEqual) return a <= b;
  if constexpr (kKind == BinaryKind::kGreater) return a > b;
  if constexpr (kKind == BinaryKind::kGreaterOrEqual) return a >= b;
  if constexpr (kKind == BinaryKind::kAnd) return (a != 0) & (b != 0);
  if constexpr (kKind == BinaryKind::kOr) return (a != 0) | (b != 0);
  if constexpr (kKind == BinaryKind::kXor) return (a != 0) != (b != 0);
}

}  // namespace bantam::kernels
