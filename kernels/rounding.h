#pragma once

namespace bantam::kernels {

// The next multiple of `multiple`, which is positive, from `value` on.
template <typename T>
constexpr T round_up(T value, T multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace bantam::kernels
