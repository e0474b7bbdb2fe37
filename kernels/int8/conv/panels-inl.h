// The convolution for instruction sets that multiply pairs of int16. Output pixels are taken in panels: all
// inputs that a pixel's sums need, less their zero point, are copied into a row of the panel as int16,
// padding as zeros, and the convolution becomes a product of matrices.

#if defined(BANTAM_INT8_CONV_PANELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_INT8_CONV_PANELS_INL_H_
#undef BANTAM_INT8_CONV_PANELS_INL_H_
#else
#define BANTAM_INT8_CONV_PANELS_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "int8/conv/conv.h"
#include "int8/conv/output-inl.h"
#include "int8/vector-inl.h"

#if HWY_TARGET == HWY_AVX2

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

inline constexpr int32_t kConvRows = 4;   // output pixels that are computed at one time
inline constexpr int32_t kConvDepth = 2;  // inputs that one instruction multiplies and adds

// Pairs of inputs; the second of the last one may be none.
inline int32_t panel_pairs(const ConvShape& shape) { return (shape.depth() + kConvDepth - 1) / kConvDepth; }
// Elements of a panel's row; copies may write this many past the inputs.
inline int32_t panel_row(const ConvShape& shape) { return round_up(shape.depth(), kConvBlock) + kConvBlock; }

// A packed block: its header, then for each pair of inputs the weights of its channels.
inline size_t packed_block_bytes(const ConvShape& shape) {
  return sizeof(ConvBlockHeader) + static_cast<size_t>(panel_pairs(shape)) * kConvDepth * kConvBlock;
}

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
    const int8_t* x_row = image + in_row * shape.x_row;
    row = neighbours ? copy_taps(shape, x_row, column, zero, row)
                     : copy_spread_taps(shape, x_row, column, zero, row);
  }
}

// Of `count` output pixels from `first` on, over all images.
HWY_INLINE void fill_panel(const ConvShape& shape, const int8_t* x_images, int64_t first, int64_t count,
                           int16_t* row) {
  const auto zero = hn::Set(DI16(), static_cast<int16_t>(shape.x_zero));
  const int64_t image = first / shape.out_pixels(), pixel = first % shape.out_pixels();
  const int8_t* x_image = x_images + image * shape.x_image;
  auto y = static_cast<int32_t>(pixel / shape.out_width), x = static_cast<int32_t>(pixel % shape.out_width);
  for (int64_t i = 0; i < count; ++i, row += panel_row(shape)) {
    fill_row(shape, x_image, y, x, zero, row);
    if (++x < shape.out_width) continue;
    x = 0;
    if (++y < shape.out_height) continue;
    y = 0;
    x_image += shape.x_image;
  }
}

// --- products ---

// Adds the products of a pair of inputs of one pixel to the sums of its channels.
HWY_INLINE void add_pair(const int16_t* inputs, VI16 w0, VI16 w1, VI32& sum0, VI32& sum1) {
  int32_t pair;
  std::memcpy(&pair, inputs, sizeof(pair));
  const auto x = hn::BitCast(DI16(), hn::Set(DI32(), pair));
  sum0 = hn::Add(sum0, hn::WidenMulPairwiseAdd(DI32(), x, w0));
  sum1 = hn::Add(sum1, hn::WidenMulPairwiseAdd(DI32(), x, w1));
}

// A block of channels for up to kConvRows pixels, whose inputs are `row` elements apart.
HWY_NOINLINE void multiply_rows(const int16_t* panel, ptrdiff_t row, int32_t rows, int32_t pairs,
                                const uint8_t* packed, const BlockOutput& to) {
  const hn::Rebind<int8_t, DI16> d8;
  const auto* header = reinterpret_cast<const ConvBlockHeader*>(packed);
  const auto* w = reinterpret_cast<const int8_t*>(header + 1);
  const auto bias0 = hn::Load(DI32(), header->bias), bias1 = hn::Load(DI32(), header->bias + kConvBlock / 2);
  // Rows that are not there repeat the last one.
  const ptrdiff_t last = rows - 1;
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
  to.store(0, a0, a1);
  if (rows > 1) to.store(1, b0, b1);
  if (rows > 2) to.store(2, c0, c1);
  if (rows > 3) to.store(3, d0, d1);
}

HWY_INLINE void multiply_panel(const ConvShape& shape, const int16_t* panel, int64_t count, int8_t* y,
                               const uint8_t* packed) {
  BlockOutput to(shape);
  for (int32_t channel = 0; channel < shape.out_channels; channel += kConvBlock) {
    to.begin(reinterpret_cast<const ConvBlockHeader*>(packed), shape.out_channels - channel);
    for (int64_t i = 0; i < count; i += kConvRows) {
      to.y = y + i * shape.y_pixel + channel;
      const auto rows = static_cast<int32_t>(std::min<int64_t>(count - i, kConvRows));
      multiply_rows(panel + i * panel_row(shape), panel_row(shape), rows, panel_pairs(shape), packed, to);
    }
    packed += packed_block_bytes(shape);
  }
}

// --- what conv.cc calls ---

constexpr bool conv_serves(const ConvShape&) { return true; }

inline void pack_block_weights(const ConvShape& shape, const int8_t* weights, int32_t lane, ConvBlockHeader*,
                               int8_t* w) {
  for (int32_t k = 0; k < shape.depth(); ++k)
    w[(k / kConvDepth * kConvBlock + lane) * kConvDepth + k % kConvDepth] = weights[k];
}

// As many pixels as stay beside the core, in even shares.
inline ConvSplit split_conv(const ConvShape& shape, int64_t threads) {
  constexpr int64_t kPanelBytes = int64_t{160} * 1024, kMostPixels = 128;
  const int64_t pixels = shape.images * shape.out_pixels();
  const int64_t row_bytes = int64_t{panel_row(shape)} * int64_t{sizeof(int16_t)};
  int64_t most = std::clamp<int64_t>(kPanelBytes / row_bytes, kConvRows, kMostPixels);
  most = std::min(most, std::max<int64_t>(ceil_div(pixels, threads), 1));
  ConvSplit split;
  split.pixels =
      ceil_div(ceil_div(pixels, std::max<int64_t>(ceil_div(pixels, most), 1)), kConvRows) * kConvRows;
  split.tasks = ceil_div(pixels, split.pixels);
  split.scratch_bytes = static_cast<size_t>(split.pixels * row_bytes);
  return split;
}

inline void run_conv(const ConvShape& shape, const ConvSplit& split, const ConvTask& task,
                     const uint8_t* packed) {
  const int64_t first = task.index * split.pixels;
  const int64_t count = std::min(split.pixels, shape.images * shape.out_pixels() - first);
  auto* panel = reinterpret_cast<int16_t*>(task.scratch);
  fill_panel(shape, task.x, first, count, panel);
  multiply_panel(shape, panel, count, task.y + first * shape.y_pixel, packed);
}

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
#endif
