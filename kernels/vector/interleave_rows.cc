// See interleave_rows.h. Compiled once per instruction set.
#include "vector/interleave_rows.h"

#include <cstdint>

#include "int8/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vector/interleave_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <int kRows, typename T>
void interleave(const void* from, void* to, size_t columns) {
  const hn::ScalableTag<T> d;
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  size_t i = 0;
  for (; i + hn::Lanes(d) <= columns; i += hn::Lanes(d)) {
    const auto row = [&](size_t r) HWY_ATTR { return hn::LoadU(d, x + r * columns + i); };
    if constexpr (kRows == 2) {
      hn::StoreInterleaved2(row(0), row(1), d, y + i * kRows);
    } else if constexpr (kRows == 3) {
      hn::StoreInterleaved3(row(0), row(1), row(2), d, y + i * kRows);
    } else {
      hn::StoreInterleaved4(row(0), row(1), row(2), row(3), d, y + i * kRows);
    }
  }
  for (; i < columns; ++i) {
    for (size_t r = 0; r < kRows; ++r) y[i * kRows + r] = x[r * columns + i];
  }
}

template <typename T>
InterleaveRows choose_rows(size_t rows) {
  if (rows == 2) return interleave<2, T>;
  if (rows == 3) return interleave<3, T>;
  return rows == 4 ? interleave<4, T> : nullptr;
}

InterleaveRows choose_interleave(size_t rows, size_t element) {
  if (element == 1) return choose_rows<uint8_t>(rows);
  return element == 4 ? choose_rows<uint32_t>(rows) : nullptr;
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bantam::kernels {

HWY_EXPORT(choose_interleave);

InterleaveRows interleave_rows(size_t rows, size_t element) {
  return HWY_DYNAMIC_DISPATCH(choose_interleave)(rows, element);
}

}  // namespace bantam::kernels
#endif  // HWY_ONCE
