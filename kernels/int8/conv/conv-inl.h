// The vector part of the convolution, for AVX2.

#if defined(BANTAM_INT8_CONV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_INT8_CONV_INL_H_
#undef BANTAM_INT8_CONV_INL_H_
#else
#define BANTAM_INT8_CONV_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "int8/conv/conv.h"
#include "int8/vector-inl.h"

#if HWY_TARGET == HWY_AVX2

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

// --- panels ---

// Copies `count` elements less `zero`; may write kConvBlock - 1 elements more.
HWY_INLINE int16_t* copy_run(const int8_t* x, int32_t count, VI16 zero, int16_t* row) {
  const DI16 d16;
  const hn::Rebind<int8_t, DI16> d8;
  constexpr auto kLanes = static_cast<int32_t>(hn::MaxLanes(d16));
  for (int32_t i = 0; i < count; i += kLanes) {
    hn::StoreU(hn::Sub(hn::PromoteTo(d16, hn::LoadU(d8, x + i)), zero), d16, row + i);
  }
  return row + count;
}

HWY_INLINE int16_t* zero_run(int32_t count, int16_t* row) {
  std::memset(row, 0, static_cast<size_t>(count) * sizeof(int16_t));
  return row + count;
}

// One row of the kernel where neighbouring taps are neighbouring bytes.
HWY_INLINE int16_t* copy_taps(const ConvShape& shape, const int8_t* x_row, int32_t column, VI16 zero,
                              int16_t* row) {
  const int32_t first = std::clamp(-column, 0, shape.kernel_w),
                end = std::clamp(shape.in_width - column, first, shape.kernel_w);
  row = zero_run(first * shape.in_channels, row);
  if (first < end) {
    const int8_t* x = x_row + (column + first) * shape.x_pixel;
    row = copy_run(x, (end - first) * shape.in_channels, zero, row);
  }
  return zero_run((shape.kernel_w - end) * shape.in_channels, row);
}

HWY_INLINE int16_t* copy_spread_taps(const ConvShape& shape, const int8_t* x_row, int32_t column, VI16 zero,
                                     int16_t* row) {
  for (int32_t k = 0; k < shape.kernel_w; ++k, column += shape.dilation_w) {
    const bool inside = column >= 0 && column < shape.in_width;
    row = inside ? copy_run(x_row + column * shape.x_pixel, shape.in_channels, zero, row)
                 : zero_run(shape.in_channels, row);
  }
  return row;
}

// What output pixel (y, x) of an image needs.
HWY_INLINE void fill_row(const ConvShape& shape, const int8_t* image, int32_t y, int32_t x, VI16 zero,
                         int16_t* row) {
  const bool neighbours = shape.dilation_w == 1 && shape.x_pixel == shape.in_channels;
  const int32_t column = x * shape.stride_w - shape.pad_left;
  int32_t in_row = y * shape.stride_h - shape.pad_top;
  for (int32_t k = 0; k < shape.kernel_h; ++k, in_row += shape.dilation_h) {
    if (in_row < 0 || in_row >= shape.in_height) {
      row = zero_run(shape.kernel_w * shape.in_channels, row);
      continue;
    }
    const int8_t* x_row = image + in_row * shape.x_pixel * shape.in_width;
    row = neighbours ? copy_taps(shape, x_row, column, zero, row)
                     : copy_spread_taps(shape, x_row, column, zero, row);
  }
}

HWY_INLINE void fill_panel(const ConvShape& shape, const ConvTask& task) {
  const auto zero = hn::Set(DI16(), static_cast<int16_t>(shape.x_zero));
  const int64_t image = task.first / shape.out_pixels(), pixel = task.first % shape.out_pixels();
  const int8_t* x_image = task.x + image * shape.x_image();
  auto y = static_cast<int32_t>(pixel / shape.out_width), x = static_cast<int32_t>(pixel % shape.out_width);
  int16_t* row = task.panel;
  for (int32_t i = 0; i < task.count; ++i, row += shape.row()) {
    fill_row(shape, x_image, y, x, zero, row);
    if (++x < shape.out_width) continue;
    x = 0;
    if (++y < shape.out_height) continue;
    y = 0;
    x_image += shape.x_image();
  }
}

// --- products ---

// Channel of lane `lane` of vector k of a block: as narrow() puts two vectors of int32 together.
constexpr int conv_channel(int k, int lane) { return lane / 4 * 8 + 4 * k + lane % 4; }

// Where a block of channels of some pixels goes, and how.
struct BlockOutput {
  using D8 = hn::Rebind<int8_t, DI16>;

  OutputOf<D8> finish;
  int8_t* y;
  int64_t y_pixel;
  int32_t rows, channels;

  HWY_INLINE void store(int32_t r, VI32 q0, VI32 q1) const {
    if (r >= rows) return;
    const D8 d8;
    const auto zero_point = hn::Set(DI16(), hn::GetLane(finish.zero_point));
    const auto q = finish.clamp(hn::DemoteTo(d8, hn::SaturatedAdd(narrow(q0, q1), zero_point)));
    int8_t* to = y + r * y_pixel;
    channels == kConvBlock ? hn::StoreU(q, d8, to) : hn::StoreN(q, d8, to, static_cast<size_t>(channels));
  }
};

// Adds the products of a pair of inputs of one pixel to the sums of its channels.
HWY_INLINE void add_pair(const int16_t* inputs, VI16 w0, VI16 w1, VI32& sum0, VI32& sum1) {
  int32_t pair;
  std::memcpy(&pair, inputs, sizeof(pair));
  const auto x = hn::BitCast(DI16(), hn::Set(DI32(), pair));
  sum0 = hn::Add(sum0, hn::WidenMulPairwiseAdd(DI32(), x, w0));
  sum1 = hn::Add(sum1, hn::WidenMulPairwiseAdd(DI32(), x, w1));
}

// A block of channels for up to kConvRows pixels, whose inputs are `row` elements apart.
HWY_NOINLINE void multiply_rows(const int16_t* panel, ptrdiff_t row, int32_t pairs, const uint8_t* packed,
                                const BlockOutput& to) {
  const hn::Rebind<int8_t, DI16> d8;
  const auto* bias = reinterpret_cast<const int32_t*>(packed);
  const auto* scales = reinterpret_cast<const float*>(bias + kConvBlock);
  const auto* w = reinterpret_cast<const int8_t*>(scales + kConvBlock);
  const auto bias0 = hn::Load(DI32(), bias), bias1 = hn::Load(DI32(), bias + kConvBlock / 2);
  const auto scale0 = hn::Load(DF32(), scales), scale1 = hn::Load(DF32(), scales + kConvBlock / 2);
  // Rows that are not there repeat the last one.
  const ptrdiff_t last = to.rows - 1;
  const int16_t *const a = panel, *const b = panel + std::min<ptrdiff_t>(1, last) * row,
                       *const c = panel + std::min<ptrdiff_t>(2, last) * row,
                       *const d = panel + std::min<ptrdiff_t>(3, last) * row;
  VI32 a0 = bias0, a1 = bias1, b0 = bias0, b1 = bias1, c0 = bias0, c1 = bias1, d0 = bias0, d1 = bias1;
  for (ptrdiff_t k = 0; k < ptrdiff_t{kConvDepth} * pairs; k += kConvDepth) {
    const VI16 w0 = hn::PromoteTo(DI16(), hn::LoadU(d8, w + k * kConvBlock));
    const VI16 w1 = hn::PromoteTo(DI16(), hn::LoadU(d8, w + (k + 1) * kConvBlock));
    add_pair(a + k, w0, w1, a0, a1);
    add_pair(b + k, w0, w1, b0, b1);
    add_pair(c + k, w0, w1, c0, c1);
    add_pair(d + k, w0, w1, d0, d1);
  }
  to.store(0, scale_to_int(a0, scale0), scale_to_int(a1, scale1));
  to.store(1, scale_to_int(b0, scale0), scale_to_int(b1, scale1));
  to.store(2, scale_to_int(c0, scale0), scale_to_int(c1, scale1));
  to.store(3, scale_to_int(d0, scale0), scale_to_int(d1, scale1));
}

HWY_INLINE void multiply_panel(const ConvShape& shape, const ConvTask& task, const uint8_t* packed) {
  BlockOutput to = {{shape.y_zero, shape.y_min, shape.y_max}, nullptr, shape.y_pixel, 0, 0};
  for (int32_t channel = 0; channel < shape.out_channels; channel += kConvBlock) {
    to.channels = std::min(shape.out_channels - channel, kConvBlock);
    for (int32_t i = 0; i < task.count; i += kConvRows) {
      to.y = task.y + (task.first + i) * shape.y_pixel + channel;
      to.rows = std::min(task.count - i, kConvRows);
      multiply_rows(task.panel + static_cast<ptrdiff_t>(i) * shape.row(), shape.row(), shape.pairs(), packed,
                    to);
    }
    packed += packed_conv_block_bytes(shape);
  }
}

// Channels that are not there become zero.
inline void pack_block(const ConvShape& shape, const ConvWeights& from, int32_t first, uint8_t* packed) {
  std::memset(packed, 0, packed_conv_block_bytes(shape));
  auto* bias = reinterpret_cast<int32_t*>(packed);
  auto* scales = reinterpret_cast<float*>(bias + kConvBlock);
  auto* w = reinterpret_cast<int8_t*>(scales + kConvBlock);
  const int32_t depth = shape.depth();
  for (int32_t i = 0; i < kConvBlock; ++i) {
    const int32_t channel = first + conv_channel(i / 8, i % 8);
    if (channel >= shape.out_channels) continue;
    const int8_t* weights = from.weights + static_cast<ptrdiff_t>(channel) * depth;
    if (from.bias != nullptr) bias[i] = from.bias[channel];
    scales[i] = from.scales[channel];
    for (int32_t k = 0; k < depth; ++k)
      w[(k / kConvDepth * kConvBlock + i) * kConvDepth + k % kConvDepth] = weights[k];
  }
}

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
#endif
