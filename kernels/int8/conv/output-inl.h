// What the variants of the convolution do with the sums of a block of channels; compiled once per instruction
// set.

#if defined(BANTAM_INT8_CONV_OUTPUT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_INT8_CONV_OUTPUT_INL_H_
#undef BANTAM_INT8_CONV_OUTPUT_INL_H_
#else
#define BANTAM_INT8_CONV_OUTPUT_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "int8/conv/conv.h"
#include "int8/vector-inl.h"

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3_DL

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

// Output channels that are computed at one time: two vectors of sums.
inline constexpr int32_t kConvBlock = 2 * static_cast<int32_t>(hn::MaxLanes(DI32()));

// Channel of lane `lane` of vector k of a block: as narrow() puts two vectors of int32 together.
constexpr int conv_channel(int k, int lane) { return lane / 4 * 8 + 4 * k + lane % 4; }

inline int32_t conv_blocks(const ConvShape& shape) {
  return (shape.out_channels + kConvBlock - 1) / kConvBlock;
}

// Stands before a block's weights, which belong to the channels in the same order.
struct ConvBlockHeader {
  int32_t bias[kConvBlock];
  float scales[kConvBlock];
};

// Where a block of channels of some pixels goes, and how.
struct BlockOutput {
  using D8 = hn::Rebind<int8_t, DI16>;

  OutputOf<D8> finish;
  VF32 scale0, scale1;
  int8_t* y = nullptr;
  int64_t y_pixel = 0;
  int32_t channels = 0;

  explicit BlockOutput(const ConvShape& shape)
      : finish(shape.y_zero, shape.y_min, shape.y_max),
        scale0(hn::Zero(DF32())),
        scale1(scale0),
        y_pixel(shape.y_pixel) {}

  // `left`: output channels from this block's first one on.
  void begin(const ConvBlockHeader* header, int32_t left) {
    scale0 = hn::Load(DF32(), header->scales);
    scale1 = hn::Load(DF32(), header->scales + kConvBlock / 2);
    channels = std::min(left, kConvBlock);
  }

  HWY_INLINE void store(int64_t pixel, VI32 sum0, VI32 sum1) const {
    const D8 d8;
    const auto zero_point = hn::Set(DI16(), hn::GetLane(finish.zero_point));
    const auto q = narrow(scale_to_int(sum0, scale0), scale_to_int(sum1, scale1));
    const auto bounded = finish.clamp(hn::DemoteTo(d8, hn::SaturatedAdd(q, zero_point)));
    int8_t* to = y + pixel * y_pixel;
    channels == kConvBlock ? hn::StoreU(bounded, d8, to)
                           : hn::StoreN(bounded, d8, to, static_cast<size_t>(channels));
  }
};

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
#endif
