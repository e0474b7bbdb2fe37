// See depthwise_rows.h. Compiled once per instruction set.
#include "vector/depthwise_rows.h"

#include <algorithm>

#include "int8/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vector/depthwise_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "vector/clamp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kDepthwiseFloats>;
using V = hn::Vec<D>;

// Taps of a row of tiles: the input rows that exist, from the first one on.
struct Rows {
  const float* x;  // row, at column 0
  int64_t stride;  // elements from one row to the next
  const float* w;  // tap 0 of the first row
  int32_t count;
};

// A bit for each input column from `first` on that is padding.
HWY_INLINE uint32_t missing_columns(const DepthwiseImage& image, int32_t first) {
  const int32_t before = std::max(0, -first), end = image.in_width - first;
  return ((1u << std::min(before, 31)) - 1u) | (end >= 32 ? 0u : ~0u << std::max(0, end));
}

// kTile output pixels from `column` on, of one vector of channels. kEdge: some of their input columns are
// padding, or only `used` of them exist.
template <int kKernel, int kStride, int kTile, bool kEdge>
HWY_INLINE void tile(const DepthwiseImage& image, const Rows& rows, V bias, float* y, int32_t column,
                     int32_t used, size_t lanes) {
  const D d;
  constexpr int kColumns = (kTile - 1) * kStride + kKernel;
  const int32_t first = column * kStride - image.pad_left;
  const uint32_t missing = kEdge ? missing_columns(image, first) : 0;
  V sums[kTile];
  HWY_UNROLL(8)
  for (int t = 0; t < kTile; ++t) sums[t] = bias;
  const float* x = rows.x + first * image.x_pixel;
  const float* w = rows.w;
  for (int32_t row = 0; row < rows.count; ++row, x += rows.stride, w += kKernel * kDepthwiseFloats) {
    V taps[kKernel];
    HWY_UNROLL(5)
    for (int k = 0; k < kKernel; ++k) taps[k] = hn::LoadU(d, w + k * kDepthwiseFloats);
    HWY_UNROLL(19)
    for (int j = 0; j < kColumns; ++j) {
      if (kEdge && (missing >> j & 1u) != 0) continue;
      const V value = hn::LoadU(d, x + j * image.x_pixel);
      HWY_UNROLL(8)
      for (int t = 0; t < kTile; ++t) {
        const int k = j - t * kStride;
        if (k >= 0 && k < kKernel) sums[t] = hn::MulAdd(value, taps[k], sums[t]);
      }
    }
  }
  const V low = hn::Set(d, image.low), high = hn::Set(d, image.high);
  HWY_UNROLL(8)
  for (int t = 0; t < kTile; ++t) {
    if (kEdge && t >= used) break;
    const V bounded = clamped(sums[t], low, high);
    float* pixel = y + (column + t) * image.y_pixel;
    if (lanes >= hn::Lanes(d)) {
      hn::StoreU(bounded, d, pixel);
    } else {
      hn::StoreN(bounded, d, pixel, lanes);
    }
  }
}

template <int kKernel, int kStride>
void row_of_tiles(const DepthwiseImage& image, const Rows& rows, V bias, float* y, size_t lanes) {
  constexpr int32_t kWide = 8, kNarrow = 4;
  for (int32_t column = 0; column < image.out_width;) {
    const int32_t left = image.out_width - column;
    const int32_t first = column * kStride - image.pad_left;
    const auto inside = [&](int32_t size) {
      return size <= left && first >= 0 && first + (size - 1) * kStride + kKernel <= image.in_width;
    };
    if (inside(kWide)) {
      tile<kKernel, kStride, kWide, false>(image, rows, bias, y, column, kWide, lanes);
      column += kWide;
    } else if (left > kNarrow) {
      const int32_t used = std::min(left, kWide);
      tile<kKernel, kStride, kWide, true>(image, rows, bias, y, column, used, lanes);
      column += used;
    } else {
      tile<kKernel, kStride, kNarrow, true>(image, rows, bias, y, column, left, lanes);
      column += left;
    }
  }
}

template <int kKernel, int kStride>
void block(const DepthwiseImage& image, const float* x, const float* weights, float* y, int32_t channels,
           int32_t row_begin, int32_t row_end) {
  const D d;
  const auto lanes = static_cast<int32_t>(hn::Lanes(d));
  Rows rows;
  rows.stride = image.in_width * image.x_pixel;
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int32_t top = row * kStride - image.pad_top;
    const int32_t first = std::max(0, -top), last = std::min(kKernel, image.in_height - top);
    rows.count = std::max(0, last - first);
    for (int32_t c = 0; c < channels; c += lanes) {
      rows.x = x + c + (rows.count > 0 ? top + first : 0) * rows.stride;
      rows.w = weights + c + (1 + first * kKernel) * kDepthwiseFloats;
      row_of_tiles<kKernel, kStride>(image, rows, hn::LoadU(d, weights + c),
                                     y + c + row * image.out_width * image.y_pixel,
                                     static_cast<size_t>(channels - c));
    }
  }
}

DepthwiseBlock choose_depthwise(int32_t kernel, int32_t stride) {
  if (kernel == 3) return stride == 1 ? block<3, 1> : block<3, 2>;
  return stride == 1 ? block<5, 1> : block<5, 2>;
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bantam::kernels {

HWY_EXPORT(choose_depthwise);

DepthwiseBlock depthwise_block(int32_t kernel, int32_t stride) {
  return HWY_DYNAMIC_DISPATCH(choose_depthwise)(kernel, stride);
}

}  // namespace bantam::kernels
#endif  // HWY_ONCE
