// The vector part of the depthwise convolution; compiled once per instruction set.
//
// A tile is kTileRows output rows by kTileColumns vectors, each of which holds kPixels neighbouring output
// pixels of a block of channels. For each input column the bytes of kGroup neighbouring input rows are
// interleaved, so that one 32-bit lane holds kGroup taps of one channel and one instruction multiplies and
// adds them; output rows that start one row apart use the same lanes with shifted weights. Input pixels are
// found through a table of pointers, in which those outside the image point to zero points.

#if defined(BANTAM_INT8_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_INT8_DEPTHWISE_INL_H_
#undef BANTAM_INT8_DEPTHWISE_INL_H_
#else
#define BANTAM_INT8_DEPTHWISE_INL_H_
#endif

#include <algorithm>
#include <cstring>

#include "int8/depthwise/depthwise.h"
#include "int8/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

// Output columns that one table of pointers serves, and the room for their input columns.
inline constexpr int kChunk = 32;
inline constexpr int kPitch = (kChunk - 1) * 2 + 5;

#if HWY_TARGET <= HWY_AVX3_DL

// Four rows a group, in bytes: VNNI. x is made unsigned by adding 128. Narrow blocks put several pixels into
// a vector.
template <int kWidth>
struct Lanes {
  using D8 = hn::ScalableTag<int8_t>;
  using DU = hn::ScalableTag<uint8_t>;
  using DU16 = hn::ScalableTag<uint16_t>;
  using D32 = hn::ScalableTag<int32_t>;
  using V32 = hn::Vec<D32>;
  using Weight = int8_t;
  static constexpr int kGroup = 4, kVectors = 4, kBytes = 64, kOffset = 128;
  static constexpr int kChannels = kWidth, kPixels = kBytes / kChannels;

  template <class D, int kStep>
  static HWY_INLINE hn::Vec<D> load(D d, const int8_t* const* pixels, ptrdiff_t channel) {
    if constexpr (hn::MaxLanes(D()) == kChannels) {
      return hn::LoadU(d, reinterpret_cast<const uint8_t*>(*pixels + channel));
    } else {
      const hn::Half<D> half;
      constexpr int kHalf = static_cast<int>(hn::MaxLanes(D())) / 2 / kChannels * kStep;
      return hn::Combine(d, load<hn::Half<D>, kStep>(half, pixels + kHalf, channel),
                         load<hn::Half<D>, kStep>(half, pixels, channel));
    }
  }

  // The lanes of kRows rows of the table; pixels of a vector are kStep columns apart.
  template <int kRows, int kStep>
  static HWY_INLINE void gather(const int8_t* const* table, ptrdiff_t channel, V32 (&v)[kVectors]) {
    const DU du;
    const DU16 d16;
    const auto row = [&](int r) HWY_ATTR {
      return hn::Xor(load<DU, kStep>(du, table + r * kPitch, channel), hn::Set(du, 0x80));
    };
    const auto a = row(0), b = kRows > 1 ? row(1) : a;
    const auto ab_low = hn::BitCast(d16, hn::InterleaveLower(du, a, b));
    const auto ab_high = hn::BitCast(d16, hn::InterleaveUpper(du, a, b));
    auto cd_low = ab_low, cd_high = ab_high;
    if constexpr (kRows > 2) {
      const auto c = row(2), d = kRows > 3 ? row(3) : c;
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

  static HWY_INLINE hn::Vec<D8> finish(const V32 (&q)[kVectors], const Output& output) {
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
  static constexpr int kGroup = 2, kVectors = 2, kBytes = kWidth, kOffset = 0;
  static constexpr int kChannels = kWidth, kPixels = 1;

  template <int kRows, int kStep>
  static HWY_INLINE void gather(const int8_t* const* table, ptrdiff_t channel, V32 (&v)[kVectors]) {
    const auto a = hn::PromoteTo(D16(), hn::LoadU(D8(), table[0] + channel));
    const auto b = kRows > 1 ? hn::PromoteTo(D16(), hn::LoadU(D8(), table[kPitch] + channel)) : a;
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

// Where the taps of a tile are. Row groups of output row t: [first_group, end_group).
template <class L, int kKernel_, int kStride_>
struct Taps {
  static constexpr int kKernel = kKernel_, kStride = kStride_;
  static constexpr int kTileRows = depthwise_tile_rows(kStride), kTileColumns = 2;
  static constexpr int kOutColumns = kTileColumns * L::kPixels;
  // Input columns of a tile at which vectors begin, and how many of the last of them begin the next tile.
  static constexpr int kInColumns = (kTileColumns - 1) * L::kPixels * kStride + kKernel;
  static constexpr int kKept =
      kKernel == 3 && kStride == 1 && L::kGroup == 4 ? std::max(kInColumns - kOutColumns * kStride, 0) : 0;

  static constexpr int in_rows(int out_rows) { return (out_rows - 1) * kStride + kKernel; }
  static constexpr int first_group(int t) { return t * kStride / L::kGroup; }
  static constexpr int end_group(int t) { return (t * kStride + kKernel - 1) / L::kGroup + 1; }
  static constexpr int slots_per_column() {
    int slots = 0;
    for (int t = 0; t < kTileRows; ++t) slots += end_group(t) - first_group(t);
    return slots;
  }
  // The input column of kernel column j for the tile's column o, and whether j = 0, 1 ... meets it here
  // first.
  static constexpr int in_column(int j, int o) { return o * L::kPixels * kStride + j; }
  static constexpr bool is_new(int j, int o) {
    if (in_column(j, o) < kKept) return false;
    for (int earlier = 0; earlier < j; ++earlier) {
      for (int other = 0; other < kTileColumns; ++other) {
        if (in_column(earlier, other) == in_column(j, o)) return false;
      }
    }
    return true;
  }
  static constexpr int slots() { return kKernel * slots_per_column(); }
  // Where the weights of kernel column j, output row t, row group g stand.
  static constexpr int slot(int j, int t, int g) {
    int slot = j * slots_per_column() + g - first_group(t);
    for (int i = 0; i < t; ++i) slot += end_group(i) - first_group(i);
    return slot;
  }
};

// Stops the compiler from loading a value again for each use, of which there are too many for the load units.
template <class V>
HWY_INLINE void keep_in_register(V& v) {
#if HWY_ARCH_X86 && (HWY_COMPILER_GCC || HWY_COMPILER_CLANG)
  asm("" : "+v"(v.raw));
#else
  (void)v;
#endif
}

// The packed weights of a block: slots, then bias, then scales; each kVectors vectors of 32-bit lanes.
template <class L, class T>
constexpr size_t packed_block_bytes() {
  return static_cast<size_t>(T::slots() + 2) * L::kBytes * 4;
}

// The channel of a lane in vector k, see "in-block" in vector-inl.h. Each pixel of a vector has its copy.
template <class L>
constexpr int channel_of(int k, int lane) {
  return (lane / 4 * 4 * L::kVectors + 4 * k + lane % 4) % L::kChannels;
}

// `channels` <= kChannels are there; the others become zero.
template <class L, class T>
void pack_block(const DepthwiseWeights& from, int32_t first_channel, int32_t channels, uint8_t* packed) {
  using Weight = typename L::Weight;
  constexpr int kLanes = L::kBytes / L::kVectors;
  std::memset(packed, 0, packed_block_bytes<L, T>());
  auto* slots = reinterpret_cast<Weight*>(packed);
  auto* bias = reinterpret_cast<int32_t*>(packed) + T::slots() * L::kBytes;
  auto* scales = reinterpret_cast<float*>(bias) + L::kBytes;
  for (int i = 0; i < L::kBytes; ++i) {
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
          slots[(slot * L::kBytes + i) * L::kGroup + tile_row % L::kGroup] =
              static_cast<Weight>(w[row * T::kKernel + j]);
        }
      }
    }
  }
}

// A row of tiles side by side.
struct TileRun {
  const int8_t* const* table;  // of the first input column; rows are kPitch apart
  ptrdiff_t channel;
  int8_t* y;
  ptrdiff_t y_row, y_pixel;
  int32_t columns;   // output columns
  int32_t channels;  // <= kChannels
};

template <class L, class T, int kOutRows>
struct Tile {
  static constexpr int kGroups = T::end_group(kOutRows - 1), kInRows = T::in_rows(kOutRows);
  using V32 = typename L::V32;
  using D8 = typename L::D8;
  V32 sums[kOutRows][T::kTileColumns][L::kVectors];
  V32 kept[T::kKept + 1][L::kVectors];

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

  static constexpr int rows_of_group(int g) { return std::min(L::kGroup, kInRows - g * L::kGroup); }

  // The columns with which the first tile of a row begins.
  HWY_INLINE void keep_first(const int8_t* const* table, ptrdiff_t channel) {
    HWY_UNROLL(8)
    for (int c = 0; c < T::kKept; ++c)
      L::template gather<rows_of_group(0), T::kStride>(table + c, channel, kept[c]);
  }

  // Adds the taps of row group g.
  template <int g>
  HWY_INLINE void add_group(const int8_t* const* table, ptrdiff_t channel, const int32_t* weights) {
    const typename L::D32 d;
    V32 v[T::kInColumns][L::kVectors];
    HWY_UNROLL(8)
    for (int c = 0; c < T::kKept; ++c) copy(kept[c], v[c]);
    HWY_UNROLL(8)
    for (int j = 0; j < T::kKernel; ++j) {
      HWY_UNROLL(8)
      for (int o = 0; o < T::kTileColumns; ++o) {
        const int c = T::in_column(j, o);
        if (!T::is_new(j, o)) continue;
        L::template gather<rows_of_group(g), T::kStride>(table + g * L::kGroup * kPitch + c, channel, v[c]);
      }
      HWY_UNROLL(8)
      for (int t = 0; t < kOutRows; ++t) {
        if (g < T::first_group(t) || g >= T::end_group(t)) continue;
        HWY_UNROLL(8)
        for (int k = 0; k < L::kVectors; ++k) {
          V32 w = hn::Load(d, weights + T::slot(j, t, g) * L::kBytes + k * hn::Lanes(d));
          keep_in_register(w);
          HWY_UNROLL(8)
          for (int o = 0; o < T::kTileColumns; ++o) {
            sums[t][o][k] = L::multiply_add(v[T::in_column(j, o)][k], w, sums[t][o][k]);
          }
        }
      }
    }
    HWY_UNROLL(8)
    for (int c = 0; c < T::kKept; ++c) copy(v[T::kOutColumns * T::kStride + c], kept[c]);
  }

  static HWY_INLINE void copy(const V32 (&from)[L::kVectors], V32 (&to)[L::kVectors]) {
    HWY_UNROLL(8)
    for (int k = 0; k < L::kVectors; ++k) to[k] = from[k];
  }

  HWY_INLINE void add(const int8_t* const* table, ptrdiff_t channel, const int32_t* weights) {
    add_group<0>(table, channel, weights);
    if constexpr (kGroups > 1) add_group<1>(table, channel, weights);
    if constexpr (kGroups > 2) add_group<2>(table, channel, weights);
  }

  HWY_INLINE void scale(const float* scales) {
    const hn::Repartition<float, typename L::D32> d;
    HWY_UNROLL(8)
    for (int k = 0; k < L::kVectors; ++k) {
      const auto factor = hn::Load(d, scales + k * hn::Lanes(d));
      HWY_UNROLL(8)
      for (int t = 0; t < kOutRows; ++t) {
        HWY_UNROLL(8)
        for (int o = 0; o < T::kTileColumns; ++o) sums[t][o][k] = scale_to_int(sums[t][o][k], factor);
      }
    }
  }

  HWY_INLINE void store(const OutputOf<D8>& output, const TileRun& run, int8_t* y, int32_t columns) {
    HWY_UNROLL(8)
    for (int t = 0; t < kOutRows; ++t) {
      HWY_UNROLL(8)
      for (int o = 0; o < T::kTileColumns; ++o) {
        store_pixels(L::finish(sums[t][o], output), run, y + t * run.y_row + o * L::kPixels * run.y_pixel,
                     columns - o * L::kPixels);
      }
    }
  }

  // The parts of q for each of its pixels, as many as there are columns.
  template <class V>
  static HWY_INLINE void store_pixels(V q, const TileRun& run, int8_t* y, int32_t columns) {
    const hn::DFromV<V> d;
    if (columns <= 0) return;
    if constexpr (hn::MaxLanes(hn::DFromV<V>()) == L::kChannels) {
      if (run.channels == L::kChannels) {
        hn::StoreU(q, d, y);
      } else {
        hn::StoreN(q, d, y, static_cast<size_t>(run.channels));
      }
    } else {
      constexpr int kHalf = static_cast<int>(hn::MaxLanes(hn::DFromV<V>())) / 2 / L::kChannels;
      store_pixels(hn::LowerHalf(q), run, y, columns);
      store_pixels(hn::UpperHalf(hn::Half<hn::DFromV<V>>(), q), run, y + kHalf * run.y_pixel,
                   columns - kHalf);
    }
  }
};

template <class L, class T, int kOutRows>
HWY_NOINLINE void run_tiles(const TileRun& run_, const uint8_t* packed,
                            const OutputOf<typename L::D8>& output_) {
  const TileRun run = run_;  // copies, which stores to y cannot change
  const OutputOf<typename L::D8> output = output_;
  const auto* weights = reinterpret_cast<const int32_t*>(packed);
  const int32_t* bias = weights + T::slots() * L::kBytes;
  const auto* scales = reinterpret_cast<const float*>(bias + L::kBytes);
  const int8_t* const* table = run.table;
  int8_t* y = run.y;
  Tile<L, T, kOutRows> tile;
  tile.keep_first(table, run.channel);
  for (int32_t columns = run.columns; columns > 0; columns -= T::kOutColumns) {
    tile.start(bias);
    tile.add(table, run.channel, weights);
    tile.scale(scales);
    tile.store(output, run, y, columns);
    table += T::kOutColumns * T::kStride;
    y += T::kOutColumns * run.y_pixel;
  }
}

// Points to the input pixels of output columns [column, column + kChunk) of the rows that the task covers.
HWY_INLINE void fill_table(const DepthwiseShape& shape, const DepthwiseTask& task, int32_t column,
                           int8_t const** table) {
  const int32_t rows = (depthwise_tile_rows(shape.stride) - 1) * shape.stride + shape.kernel;
  const int32_t columns = (kChunk - 1) * shape.stride + shape.kernel;
  const int32_t in_row = task.row * shape.stride - shape.pad_top,
                in_column = column * shape.stride - shape.pad_left;
  const int32_t first = std::clamp(-in_column, 0, columns),
                end = std::clamp(shape.in_width - in_column, first, columns);
  for (int32_t r = 0; r < rows; ++r, table += kPitch) {
    if (in_row + r < 0 || in_row + r >= shape.in_height) {
      std::fill(table, table + columns, task.zeros);
      continue;
    }
    const int64_t row = static_cast<int64_t>(in_row + r) * shape.in_width + in_column;
    std::fill(table, table + first, task.zeros);
    for (int32_t c = first; c < end; ++c) table[c] = task.x + (row + c) * shape.x_pixel;
    std::fill(table + end, table + columns, task.zeros);
  }
}

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
