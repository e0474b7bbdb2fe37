// int8 sums; compiled once per instruction set.

#if defined(BANTAM_INT8_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_INT8_SUMS_INL_H_
#undef BANTAM_INT8_SUMS_INL_H_
#else
#define BANTAM_INT8_SUMS_INL_H_
#endif

#include "hwy/highway.h"
#include "int8/binary/params.h"
#include "int8/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

struct AddOp {
  VI16 multipliers;  // a's and b's in turn
  VI32 bias;
  int shift;
  Output output;

  explicit AddOp(const BinaryParams& p)
      : multipliers(hn::BitCast(
            DI16(), hn::Set(DI32(), static_cast<int32_t>(static_cast<uint16_t>(p.a_multiplier) |
                                                         static_cast<uint32_t>(p.b_multiplier) << 16)))),
        bias(hn::Set(DI32(), p.bias)),
        shift(p.shift),
        output(0, p.range.min, p.range.max) {}

  HWY_INLINE VI32 quarter(VI16 pairs) const {
    return hn::ShiftRightSame(hn::Add(hn::WidenMulPairwiseAdd(DI32(), pairs, multipliers), bias), shift);
  }
  HWY_INLINE VI16 half(VI16 a, VI16 b) const {
#if HWY_ARCH_ARM && HWY_TARGET != HWY_EMU128
    const int16_t a_factor = vgetq_lane_s16(multipliers.raw, 0),
                  b_factor = vgetq_lane_s16(multipliers.raw, 1);
    const auto sum = [&](int16x4_t a4, int16x4_t b4) HWY_ATTR {
      return hn::ShiftRightSame(VI32(vmlal_n_s16(vmlal_n_s16(bias.raw, a4, a_factor), b4, b_factor)), shift);
    };
    return narrow(sum(vget_low_s16(a.raw), vget_low_s16(b.raw)),
                  sum(vget_high_s16(a.raw), vget_high_s16(b.raw)));
#else
    return narrow(quarter(hn::InterleaveLower(DI16(), a, b)), quarter(hn::InterleaveUpper(DI16(), a, b)));
#endif
  }
  HWY_INLINE VI8 operator()(VI8 a, VI8 b) const {
    return output.clamp(narrow(half(widen_lower(a), widen_lower(b)), half(widen_upper(a), widen_upper(b))));
  }
};

// x * factor + addend, rounded once. Where it is not an instruction: the bits of the operands lie within the
// 53 of a double, by the limits that set_onnx_sum keeps.
HWY_INLINE VF32 multiply_add(VF32 x, VF32 factor, VF32 addend) {
#if HWY_NATIVE_FMA
  return hn::MulAdd(x, factor, addend);
#else
  const DF32 d;
  HWY_ALIGN float xs[hn::MaxLanes(DF32())], factors[hn::MaxLanes(DF32())], sums[hn::MaxLanes(DF32())];
  hn::Store(x, d, xs);
  hn::Store(factor, d, factors);
  hn::Store(addend, d, sums);
  for (size_t i = 0; i < hn::Lanes(d); ++i) {
    sums[i] = static_cast<float>(double{xs[i]} * double{factors[i]} + double{sums[i]});
  }
  return hn::Load(d, sums);
#endif
}

struct OnnxAddOp {
  VF32 offset, a_ratio, b_ratio, fixed_part;
  Output output;

  explicit OnnxAddOp(const BinaryParams& p)
      : offset(hn::Set(DF32(), 0x1p23f + (p.is_uint8 ? 0.0f : 128.0f))),
        a_ratio(hn::Set(DF32(), p.a_ratio)),
        b_ratio(hn::Set(DF32(), p.b_ratio)),
        fixed_part(hn::Set(DF32(), p.fixed_part)),
        output(p.is_uint8 ? -128 : 0, p.range.min, p.range.max) {}

  // x + 128 as int16, in-block.
  static HWY_INLINE hn::Vec<DU8> flip(VI8 x) { return hn::Xor(hn::BitCast(DU8(), x), hn::Set(DU8(), 0x80)); }
  static HWY_INLINE VI16 lower(VI8 x) {
    return hn::BitCast(DI16(), hn::InterleaveLower(DU8(), flip(x), hn::Zero(DU8())));
  }
  static HWY_INLINE VI16 upper(VI8 x) {
    return hn::BitCast(DI16(), hn::InterleaveUpper(DU8(), flip(x), hn::Zero(DU8())));
  }

  // 0x4b00 above 16 bits makes them a float, 2^23 larger.
  HWY_INLINE VI32 quarter(VI16 a, VI16 b) const {
    const VF32 x = hn::Sub(hn::BitCast(DF32(), a), offset), y = hn::Sub(hn::BitCast(DF32(), b), offset);
    return round_to_int(multiply_add(x, a_ratio, multiply_add(y, b_ratio, fixed_part)));
  }
  HWY_INLINE VI16 half(VI16 a, VI16 b) const {
    const VI16 top = hn::Set(DI16(), 0x4b00);
    return narrow(quarter(hn::InterleaveLower(DI16(), a, top), hn::InterleaveLower(DI16(), b, top)),
                  quarter(hn::InterleaveUpper(DI16(), a, top), hn::InterleaveUpper(DI16(), b, top)));
  }
  HWY_INLINE VI8 operator()(VI8 a, VI8 b) const {
    return output(half(lower(a), lower(b)), half(upper(a), upper(b)));
  }
};

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
