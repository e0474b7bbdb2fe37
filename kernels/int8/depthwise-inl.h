// The vector part of the depthwise convolution; compiled once per instruction set.
//
// A tile is kTileRows x kTileColumns outputs of one block of channels. For each input column of the tile the bytes of
// kGroup neighbouring input rows are interleaved, so that one 32-bit lane holds kGroup taps of one channel and one
// instruction multiplies and adds them; output rows that start one row apart use the same lanes with shifted weights.

#if defined(BANTAM_INT8_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_INT8_DEPTHWISE_INL_H_
#undef BANTAM_INT8_DEPTHWISE_INL_H_
#else
#define BANTAM_INT8_DEPTHWISE_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "int8/depthwise.h"
#include "int8/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

// Row groups of the taps of output row `t` of a tile: [first_group, end_group).
template <int kKernel_, int kStride_, int kGroup_>
struct Taps {
  static constexpr int kKernel = kKernel_, kStride = kStride_, kGroup = kGroup_;
  static constexpr int kTileRows = depthwise_tile_rows(kStride), kTileColumns = 2;
  static constexpr int kInColumns = (kTileColumns - 1) * kStride + kKernel;

  static constexpr int in_rows(int out_rows) { return (out_rows - 1) * kStride + kKernel; }
  static constexpr int first_group(int t) { return t * kStride / kGroup; }
  static constexpr int end_group(int t) { return (t * kStride + kKernel - 1) / kGroup + 1; }
  // Where the weights of kernel column j, output row t, row group g stand.
  static constexpr int slot(int j, int t, int g) {
    int slot = j * slots_per_column() + g - first_group(t);
    for (int i = 0; i < t; ++i) slot += end_group(i) - first_group(i);
    return slot;
  }
  static constexpr int slots_per_column() {
    int slots = 0;
    for (int t = 0; t < kTileRows; ++t) slots += end_group(t) - first_group(t);
    return slots;
  }
  static constexpr int slots() { return kKernel * slots_per_column(); }
};

#if HWY_TARGET <= HWY_AVX3_DL

// Four rows a group, in bytes: VNNI. x is made unsigned by adding 128.
template <int kWidth>
struct Lanes {
  using D8 = hn::CappedTag<int8_t, kWidth>;
  using D32 = hn::Repartition<int32_t, D8>;
  using V32 = hn::Vec<D32>;
  using DU = hn::Repartition<uint8_t, D8>;
  using DU16 = hn::Repartition<uint16_t, D8>;
  using Weight = int8_t;
  static constexpr int kGroup = 4, kVectors = 4, kChannels = kWidth, kOffset = 128;

  template <int kRows>
  static HWY_INLINE void gather(const int8_t* const* rows, ptrdiff_t at, V32 (&v)[kVectors]) {
    const DU du;
    const DU16 d16;
    const auto load = [&](int r) HWY_ATTR {
      return hn::Xor(hn::LoadU(du, reinterpret_cast<const uint8_t*>(rows[r] + at)), hn::Set(du, 0x80));
    };
    const auto a = load(0), b = kRows > 1 ? load(1) : a;
    const auto ab_low = hn::BitCast(d16, hn::InterleaveLower(du, a, b));
    const auto ab_high = hn::BitCast(d16, hn::InterleaveUpper(du, a, b));
    auto cd_low = ab_low, cd_high = ab_high;
    if constexpr (kRows > 2) {
      const auto c = load(2), d = kRows > 3 ? load(3) : c;
      cd_low = hn::BitCast(d16, hn::InterleaveLower(du, c, d));
      cd_high = hn::BitCast(d16, hn::InterleaveUpper(du, c, d));
    }
    v[0] = hn::BitCast(D32(), hn::InterleaveLower(d16, ab_low, cd_low));
    v[1] = hn::BitCast(D32(), hn::InterleaveUpper(d16, ab_low, cd_low));
    v[2] = hn::BitCast(D32(), hn::InterleaveLower(d16, ab_high, cd_high));
    v[3] = hn::BitCast(D32(), hn::InterleaveUpper(d16, ab_high, cd_high));
  }

  static HWY_INLINE V32 multiply_add(V32 x, V32 w, V32 sum) {
    return hn::SumOfMulQuadAccumulate(D32(), hn::BitCast(DU(), x), hn::BitCast(D8(), w), sum);
  }

  static HWY_INLINE hn::Vec<D8> finish(const V32 (&q)[kVectors], const OutputOf<D8>& output) {
    return output(narrow(q[0], q[1]), narrow(q[2], q[3]));
  }
};

#else

// Two rows a group, in int16. A block is half a vector of int8.
template <int kWidth>
struct Lanes {
  using D16 = hn::CappedTag<int16_t, kWidth>;
  using D8 = hn::Rebind<int8_t, D16>;
  using D32 = hn::Repartition<int32_t, D16>;
  using V32 = hn::Vec<D32>;
  using Weight = int16_t;
  static constexpr int kGroup = 2, kVectors = 2, kChannels = kWidth, kOffset = 0;

  template <int kRows>
  static HWY_INLINE void gather(const int8_t* const* rows, ptrdiff_t at, V32 (&v)[kVectors]) {
    const auto a = hn::PromoteTo(D16(), hn::LoadU(D8(), rows[0] + at));
    const auto b = kRows > 1 ? hn::PromoteTo(D16(), hn::LoadU(D8(), rows[1] + at)) : a;
    v[0] = hn::BitCast(D32(), hn::InterleaveLower(D16(), a, b));
    v[1] = hn::BitCast(D32(), hn::InterleaveUpper(D16(), a, b));
  }

  static HWY_INLINE V32 multiply_add(V32 x, V32 w, V32 sum) {
    return hn::Add(sum, hn::WidenMulPairwiseAdd(D32(), hn::BitCast(D16(), x), hn::BitCast(D16(), w)));
  }

  static HWY_INLINE hn::Vec<D8> finish(const V32 (&q)[kVectors], const OutputOf<D8>& output) {
    const auto zero_point = hn::Set(D16(), hn::GetLane(output.zero_point));
    return output.clamp(hn::DemoteTo(D8(), hn::SaturatedAdd(narrow(q[0], q[1]), zero_point)));
  }
};

#endif

// The packed weights of a block: slots, then bias, then scales; each kVectors vectors of 32-bit lanes.
template <class L, class T>
constexpr size_t packed_block_bytes() {
  return static_cast<size_t>(T::slots() + 2) * L::kChannels * 4;
}

// The channel of a lane in vector k, see "in-block" in vector-inl.h.
template <class L>
constexpr int channel_of(int k, int lane) {
  return lane / 4 * 4 * L::kVectors + 4 * k + lane % 4;
}

// `channels` <= kChannels are there; the others become zero.
template <class L, class T>
void pack_block(const DepthwiseWeights& from, int32_t first_channel, int32_t channels, uint8_t* packed) {
  using Weight = typename L::Weight;
  constexpr int kLanes = L::kChannels / L::kVectors;
  std::memset(packed, 0, packed_block_bytes<L, T>());
  auto* slots = reinterpret_cast<Weight*>(packed);
  auto* bias = reinterpret_cast<int32_t*>(packed) + T::slots() * L::kChannels;
  auto* scales = reinterpret_cast<float*>(bias) + L::kChannels;
  for (int i = 0; i < L::kChannels; ++i) {
    const int block_channel = channel_of<L>(i / kLanes, i % kLanes);
    if (block_channel >= channels) continue;
    const int32_t channel = first_channel + block_channel;
    const int8_t* w = from.weights + static_cast<ptrdiff_t>(channel) * T::kKernel * T::kKernel;
    int32_t sum = 0;
    for (int tap = 0; tap < T::kKernel * T::kKernel; ++tap) sum += w[tap];
    bias[i] = (from.bias == nullptr ? 0 : from.bias[channel]) - (from.x_zero + L::kOffset) * sum;
    scales[i] = from.scales[channel];
    for (int j = 0; j < T::kKernel; ++j) {
      for (int t = 0; t < T::kTileRows; ++t) {
        for (int row = 0; row < T::kKernel; ++row) {
          const int tile_row = t * T::kStride + row;
          const int slot = T::slot(j, t, tile_row / L::kGroup);
          slots[(slot * L::kChannels + i) * L::kGroup + tile_row % L::kGroup] =
              static_cast<Weight>(w[row * T::kKernel + j]);
        }
      }
    }
  }
}

// A run of tiles side by side.
struct TileRun {
  const int8_t* rows[6];  // of the first input column
  ptrdiff_t pixel;        // from one input column to the next
  int8_t* y;
  ptrdiff_t y_row, y_pixel;
  int32_t tiles;
  int32_t columns;  // of the last tile
  int32_t channels;
};

template <class L, class T, int kOutRows>
struct Tile {
  static constexpr int kGroups = T::end_group(kOutRows - 1), kInRows = T::in_rows(kOutRows);
  using V32 = typename L::V32;
  using D8 = typename L::D8;
  V32 sums[kOutRows][T::kTileColumns][L::kVectors];

  HWY_INLINE void start(const int32_t* bias) {
    const typename L::D32 d;
    HWY_UNROLL(8)
    for (int k = 0; k < L::kVectors; ++k) {
      const V32 first = hn::Load(d, bias + k * hn::Lanes(d));
      HWY_UNROLL(8)
      for (int t = 0; t < kOutRows; ++t) {
        HWY_UNROLL(8)
        for (int o = 0; o < T::kTileColumns; ++o) sums[t][o][k] = first;
      }
    }
  }

  // Adds what row group g of input column c gives.
  template <int g>
  HWY_INLINE void add_group(const int8_t* const* rows, ptrdiff_t at, int c, const int32_t* weights) {
    const typename L::D32 d;
    V32 v[L::kVectors];
    L::template gather<std::min(L::kGroup, kInRows - g * L::kGroup)>(rows + g * L::kGroup, at, v);
    HWY_UNROLL(8)
    for (int t = 0; t < kOutRows; ++t) {
      if (g < T::first_group(t) || g >= T::end_group(t)) continue;
      HWY_UNROLL(8)
      for (int o = 0; o < T::kTileColumns; ++o) {
        const int j = c - o * T::kStride;
        if (j < 0 || j >= T::kKernel) continue;
        HWY_UNROLL(8)
        for (int k = 0; k < L::kVectors; ++k) {
          const V32 w = hn::Load(d, weights + T::slot(j, t, g) * L::kChannels + k * hn::Lanes(d));
          sums[t][o][k] = L::multiply_add(v[k], w, sums[t][o][k]);
        }
      }
    }
  }

  HWY_INLINE void add_column(const int8_t* const* rows, ptrdiff_t at, int c, const int32_t* weights) {
    add_group<0>(rows, at, c, weights);
    if constexpr (kGroups > 1) add_group<1>(rows, at, c, weights);
    if constexpr (kGroups > 2) add_group<2>(rows, at, c, weights);
  }

  HWY_INLINE void store(const float* scales, const OutputOf<D8>& output, const TileRun& run, int8_t* y, int32_t columns) {
    const hn::Repartition<float, typename L::D32> d;
    HWY_UNROLL(8)
    for (int k = 0; k < L::kVectors; ++k) {
      const auto scale = hn::Load(d, scales + k * hn::Lanes(d));
      HWY_UNROLL(8)
      for (int t = 0; t < kOutRows; ++t) {
        HWY_UNROLL(8)
        for (int o = 0; o < T::kTileColumns; ++o) sums[t][o][k] = scale_to_int(sums[t][o][k], scale);
      }
    }
    HWY_UNROLL(8)
    for (int t = 0; t < kOutRows; ++t) {
      HWY_UNROLL(8)
      for (int o = 0; o < T::kTileColumns; ++o) {
        if (o >= columns) break;
        int8_t* to = y + t * run.y_row + o * run.y_pixel;
        const auto q = L::finish(sums[t][o], output);
        if (run.channels == L::kChannels) {
          hn::StoreU(q, D8(), to);
        } else {
          hn::StoreN(q, D8(), to, static_cast<size_t>(run.channels));
        }
      }
    }
  }
};

template <class L, class T, int kOutRows>
HWY_NOINLINE void run_tiles(const TileRun& run, const uint8_t* packed, const OutputOf<typename L::D8>& output) {
  const auto* weights = reinterpret_cast<const int32_t*>(packed);
  const int32_t* bias = weights + T::slots() * L::kChannels;
  const auto* scales = reinterpret_cast<const float*>(bias + L::kChannels);
  constexpr int kInRows = T::in_rows(kOutRows);
  const int8_t* rows[kInRows];
  for (int r = 0; r < kInRows; ++r) rows[r] = run.rows[r];
  int8_t* y = run.y;
  for (int32_t i = 0; i < run.tiles; ++i) {
    Tile<L, T, kOutRows> tile;
    tile.start(bias);
    HWY_UNROLL(8)
    for (int c = 0; c < T::kInColumns; ++c) tile.add_column(rows, c * run.pixel, c, weights);
    tile.store(scales, output, run, y, i + 1 == run.tiles ? run.columns : T::kTileColumns);
    for (int r = 0; r < kInRows; ++r) rows[r] += T::kTileColumns * T::kStride * run.pixel;
    y += T::kTileColumns * run.y_pixel;
  }
}

// A tile at the left or right edge: copies its input columns, with zero points where there are none.
template <class L, class T, int kOutRows>
HWY_NOINLINE void run_edge_tile(const DepthwiseShape& shape, TileRun run, const int8_t* zero, int32_t first_column,
                                const uint8_t* packed, const OutputOf<typename L::D8>& output) {
  constexpr int kInRows = T::in_rows(kOutRows);
  const typename L::D8 d;
  alignas(64) int8_t copy[kInRows][T::kInColumns][L::kChannels];
  for (int r = 0; r < kInRows; ++r) {
    for (int c = 0; c < T::kInColumns; ++c) {
      const int32_t column = first_column + c;
      const bool inside = column >= 0 && column < shape.in_width;
      hn::Store(hn::LoadU(d, inside ? run.rows[r] + column * shape.x_pixel : zero), d, copy[r][c]);
    }
    run.rows[r] = copy[r][0];
  }
  run.pixel = L::kChannels;
  run_tiles<L, T, kOutRows>(run, packed, output);
}

// One block of channels along a row of tiles.
template <class L, class T, int kOutRows>
void run_block(const DepthwiseShape& shape, const DepthwiseTask& task, int32_t channel, int32_t channels,
               const uint8_t* packed) {
  const OutputOf<typename L::D8> output(shape.y_zero, shape.y_min, shape.y_max);
  TileRun run;
  const int32_t in_row = task.row * T::kStride - shape.pad_top;
  for (int r = 0; r < T::in_rows(kOutRows); ++r) {
    const bool inside = in_row + r >= 0 && in_row + r < shape.in_height;
    run.rows[r] = (inside ? task.x + (in_row + r) * shape.in_width * shape.x_pixel : task.zero_row) + channel;
  }
  run.y_row = shape.out_width * shape.y_pixel;
  run.y_pixel = shape.y_pixel;
  run.channels = channels;
  int8_t* y = task.y + task.row * run.y_row + channel;
  const int32_t step = T::kTileColumns * T::kStride;
  for (int32_t column = 0; column < shape.out_width;) {
    const int32_t in_column = column * T::kStride - shape.pad_left;
    run.y = y + column * run.y_pixel;
    run.columns = std::min(T::kTileColumns, shape.out_width - column);
    run.tiles = 1;
    if (in_column >= 0 && in_column + T::kInColumns <= shape.in_width) {
      const int32_t readable = (shape.in_width - in_column - T::kInColumns) / step + 1;
      TileRun inner = run;
      inner.tiles = std::clamp((shape.out_width - column) / T::kTileColumns, 1, readable);
      inner.pixel = shape.x_pixel;
      for (int r = 0; r < T::in_rows(kOutRows); ++r) inner.rows[r] += in_column * shape.x_pixel;
      run_tiles<L, T, kOutRows>(inner, packed, output);
      column += inner.tiles * T::kTileColumns;
    } else {
      run_edge_tile<L, T, kOutRows>(shape, run, task.zero_row, in_column, packed, output);
      column += T::kTileColumns;
    }
  }
}

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
