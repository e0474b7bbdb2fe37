#include "int8/window/window.h"

#include <algorithm>

#include "int8/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "int8/window/window.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "int8/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

// As many int8 as fit into an int16 sum.
constexpr int64_t kInt16Terms = 256;

struct Sums {
  VI32 v[4];

  HWY_INLINE void add(VI16 lower, VI16 upper) {
    v[0] = hn::Add(v[0], widen_lower(lower));
    v[1] = hn::Add(v[1], widen_upper(lower));
    v[2] = hn::Add(v[2], widen_lower(upper));
    v[3] = hn::Add(v[3], widen_upper(upper));
  }
};

HWY_INLINE void add_row(const int8_t* x, int64_t columns, int64_t stride, VI16& lower, VI16& upper) {
  for (int64_t i = 0; i < columns; ++i) {
    const VI8 v = hn::LoadU(DI8(), x + i * stride);
    lower = hn::Add(lower, widen_lower(v));
    upper = hn::Add(upper, widen_upper(v));
  }
}

HWY_INLINE Sums sum_window(const Window& w, size_t channel) {
  const VI32 zero = hn::Zero(DI32());
  Sums sums = {{zero, zero, zero, zero}};
  VI16 lower = hn::Zero(DI16()), upper = lower;
  int64_t terms = 0;
  for (int64_t row = 0; row < w.rows; ++row) {
    for (int64_t column = 0; column < w.columns;) {
      const int64_t count = std::min(w.columns - column, kInt16Terms - terms);
      add_row(w.x + row * w.row_stride + column * w.column_stride + channel, count, w.column_stride, lower,
              upper);
      column += count;
      terms += count;
      if (terms == kInt16Terms) {
        sums.add(lower, upper);
        lower = upper = hn::Zero(DI16());
        terms = 0;
      }
    }
  }
  sums.add(lower, upper);
  return sums;
}

void sum(const Window& window, const WindowSum& params, int8_t* y, size_t channels) {
  const DI8 d;
  const DF32 df;
  const Output output(params.y_zero, params.y_min, params.y_max);
  const VI32 bias = hn::Set(DI32(), params.bias);
  const VF32 scale = hn::Set(df, params.scale), limit = hn::Set(df, 0x1p30f);
  for (size_t channel = 0; channel < channels; channel += hn::Lanes(d)) {
    Sums sums = sum_window(window, channel);
    for (VI32& v : sums.v) {
      const VF32 scaled = hn::Mul(hn::ConvertTo(df, hn::Add(v, bias)), scale);
      v = round_to_int(hn::Min(scaled, limit));
    }
    const VI8 q = output(narrow(sums.v[0], sums.v[1]), narrow(sums.v[2], sums.v[3]));
    hn::StoreN(q, d, y + channel, channels - channel);
  }
}

struct MaxOf {
  static constexpr int8_t kFirst = -128;
  HWY_INLINE VI8 operator()(VI8 a, VI8 b) const { return hn::Max(a, b); }
  HWY_INLINE int8_t of_lanes(VI8 v) const { return hn::ReduceMax(DI8(), v); }
};

struct MinOf {
  static constexpr int8_t kFirst = 127;
  HWY_INLINE VI8 operator()(VI8 a, VI8 b) const { return hn::Min(a, b); }
  HWY_INLINE int8_t of_lanes(VI8 v) const { return hn::ReduceMin(DI8(), v); }
};

template <class Op>
void extremum(const Window& w, int8_t* y, size_t channels) {
  const DI8 d;
  for (size_t channel = 0; channel < channels; channel += hn::Lanes(d)) {
    VI8 best = hn::Set(d, Op::kFirst);
    for (int64_t row = 0; row < w.rows; ++row) {
      const int8_t* x = w.x + row * w.row_stride + channel;
      for (int64_t i = 0; i < w.columns; ++i) best = Op()(best, hn::LoadU(d, x + i * w.column_stride));
    }
    hn::StoreN(best, d, y + channel, channels - channel);
  }
}

template <class Op>
int8_t row_extremum(const int8_t* x, size_t count) {
  const DI8 d;
  VI8 best = hn::Set(d, Op::kFirst);
  size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) best = Op()(best, hn::LoadU(d, x + i));
  if (i < count) best = Op()(best, hn::IfThenElse(hn::FirstN(d, count - i), hn::LoadU(d, x + i), best));
  return Op().of_lanes(best);
}

void maximum(const Window& window, int8_t* y, size_t channels) { extremum<MaxOf>(window, y, channels); }
void minimum(const Window& window, int8_t* y, size_t channels) { extremum<MinOf>(window, y, channels); }
int8_t maximum_of_row(const int8_t* x, size_t count) { return row_extremum<MaxOf>(x, count); }
int8_t minimum_of_row(const int8_t* x, size_t count) { return row_extremum<MinOf>(x, count); }

// Sums x + 128, which is unsigned.
int32_t sum_of_row(const int8_t* x, size_t count) {
  const DU8 d;
  const hn::Repartition<uint64_t, DU8> d64;
  const auto flip = hn::Set(d, 0x80);
  auto sums = hn::Zero(d64);
  const auto* bytes = reinterpret_cast<const uint8_t*>(x);
  size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    sums = hn::Add(sums, hn::SumsOf8(hn::Xor(hn::LoadU(d, bytes + i), flip)));
  }
  if (i < count) {
    const auto rest = hn::IfThenElseZero(hn::FirstN(d, count - i), hn::Xor(hn::LoadU(d, bytes + i), flip));
    sums = hn::Add(sums, hn::SumsOf8(rest));
  }
  return static_cast<int32_t>(static_cast<int64_t>(hn::ReduceSum(d64, sums)) -
                              128 * static_cast<int64_t>(count));
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace bantam::kernels {

HWY_EXPORT(sum);
HWY_EXPORT(maximum);
HWY_EXPORT(minimum);
HWY_EXPORT(sum_of_row);
HWY_EXPORT(maximum_of_row);
HWY_EXPORT(minimum_of_row);

void window_sum(const Window& window, const WindowSum& params, int8_t* y, size_t channels) {
  HWY_DYNAMIC_DISPATCH(sum)(window, params, y, channels);
}
void window_max(const Window& window, int8_t* y, size_t channels) {
  HWY_DYNAMIC_DISPATCH(maximum)(window, y, channels);
}
void window_min(const Window& window, int8_t* y, size_t channels) {
  HWY_DYNAMIC_DISPATCH(minimum)(window, y, channels);
}
int32_t row_sum(const int8_t* x, size_t count) { return HWY_DYNAMIC_DISPATCH(sum_of_row)(x, count); }
int8_t row_max(const int8_t* x, size_t count) { return HWY_DYNAMIC_DISPATCH(maximum_of_row)(x, count); }
int8_t row_min(const int8_t* x, size_t count) { return HWY_DYNAMIC_DISPATCH(minimum_of_row)(x, count); }

}  // namespace bantam::kernels

#endif
