// The convolution for instruction sets that multiply four uint8 by four int8. The inputs that some rows of
// output pixels need are copied into a band, as uint8 (128 more) and with their padding. The inputs of a
// pixel under one row of the kernel are then neighbours, a run, and those of the next pixel lie a step
// further.

#if defined(BANTAM_INT8_CONV_BANDS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BANTAM_INT8_CONV_BANDS_INL_H_
#undef BANTAM_INT8_CONV_BANDS_INL_H_
#else
#define BANTAM_INT8_CONV_BANDS_INL_H_
#endif

#include <algorithm>
#include <cstring>
#include <utility>

#include "int8/conv/conv.h"
#include "int8/conv/output-inl.h"
#include "int8/vector-inl.h"

#if HWY_TARGET == HWY_AVX3_DL

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {

inline constexpr int32_t kConvPixels = 12;  // that are computed at one time, all in one row
inline constexpr int32_t kConvDepth = 4;    // inputs that one instruction multiplies and adds
inline constexpr size_t kBandPadding = 128;
inline constexpr ptrdiff_t kLine = 64;  // bytes that are fetched at one time

// Inputs of a run, rounded up; weights of those that are too many are 0.
inline int32_t run_length(const ConvShape& shape) {
  return round_up(shape.kernel_w * shape.in_channels, kConvDepth);
}

// A packed block: its header, then for each row of the kernel and each four inputs of the run the weights of
// its channels.
inline size_t packed_block_bytes(const ConvShape& shape) {
  return sizeof(ConvBlockHeader) +
         size_t{kConvBlock} * static_cast<size_t>(shape.kernel_h * run_length(shape));
}

// --- bands ---

// Output pixels [y, y + rows) x [x, x + columns) of an image, and what they need.
struct Band {
  int32_t image = 0, y = 0, x = 0;
  int32_t rows = 0, columns = 0;

  int64_t in_rows(const ConvShape& shape) const {
    return int64_t{rows - 1} * shape.stride_h + int64_t{shape.kernel_h - 1} * shape.dilation_h + 1;
  }
  int64_t in_columns(const ConvShape& shape) const {
    return int64_t{columns - 1} * shape.stride_w + shape.kernel_w;
  }
  int64_t row_bytes(const ConvShape& shape) const { return in_columns(shape) * shape.in_channels; }
};

HWY_INLINE uint8_t* copy_run(const int8_t* x, int64_t count, uint8_t* to) {
  const DU8 d;
  const auto sign = hn::Set(d, 0x80);
  const auto* from = reinterpret_cast<const uint8_t*>(x);
  constexpr auto kLanes = static_cast<int64_t>(hn::MaxLanes(d));
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) hn::StoreU(hn::Xor(hn::LoadU(d, from + i), sign), d, to + i);
  if (i < count) {
    const auto left = static_cast<size_t>(count - i);
    hn::StoreN(hn::Xor(hn::LoadN(d, from + i, left), sign), d, to + i, left);
  }
  return to + count;
}

HWY_INLINE void fill_band(const ConvShape& shape, const Band& band, const int8_t* x_image, uint8_t* to) {
  const int zero = static_cast<uint8_t>(shape.x_zero + 128);
  const auto columns = static_cast<int32_t>(band.in_columns(shape));
  const int32_t x = band.x * shape.stride_w - shape.pad_left;
  const int32_t first = std::clamp(-x, 0, columns), end = std::clamp(shape.in_width - x, first, columns);
  const auto fill = [&](int32_t count) {
    const size_t bytes = static_cast<size_t>(count) * static_cast<size_t>(shape.in_channels);
    std::memset(to, zero, bytes);
    to += bytes;
  };
  int32_t y = band.y * shape.stride_h - shape.pad_top;
  for (auto i = static_cast<int32_t>(band.in_rows(shape)); i > 0; --i, ++y) {
    if (y < 0 || y >= shape.in_height) {
      fill(columns);
      continue;
    }
    fill(first);
    const int8_t* from = x_image + y * shape.x_row + (x + first) * shape.x_pixel;
    if (shape.x_pixel == shape.in_channels) {
      to = copy_run(from, int64_t{end - first} * shape.in_channels, to);
    } else {
      for (int32_t c = first; c < end; ++c, from += shape.x_pixel) to = copy_run(from, shape.in_channels, to);
    }
    fill(columns - end);
  }
  std::memset(to, 0, kBandPadding);
}

// --- products ---

struct Runs {
  const uint8_t* x = nullptr;  // of the first pixel, under the first row of the kernel
  ptrdiff_t step = 0;          // to the next pixel
  ptrdiff_t row = 0;           // to the next row of the kernel
  int32_t rows = 0;            // of the kernel
  int32_t length = 0;
};

HWY_INLINE VU8 four_inputs(const uint8_t* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof(four));
  return hn::BitCast(DU8(), hn::Set(DI32(), four));
}

// hn::SumOfMulQuadAccumulate; of that one's results GCC 12 writes a copy to memory, every time.
HWY_INLINE void multiply_add(VU8 x, VI8 w, VI32& sum) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(x.raw), "v"(w.raw));
}

// Where the inputs of every third pixel are, which x86 can address the two between from.
struct Inputs {
  const uint8_t* thirds[kConvPixels / 3];
  ptrdiff_t step;

  Inputs(const uint8_t* x, ptrdiff_t pixel_step)
      : thirds{x, x + 3 * pixel_step, x + 6 * pixel_step, x + 9 * pixel_step}, step(pixel_step) {}
  template <int kPixel>
  HWY_INLINE VU8 next() const {
    return four_inputs(thirds[kPixel / 3] + kPixel % 3 * step);
  }
  HWY_INLINE void advance() {
    thirds[0] += kConvDepth, thirds[1] += kConvDepth, thirds[2] += kConvDepth, thirds[3] += kConvDepth;
  }
};

// The sums of a tile are variables and not an array, of which compilers keep a copy in memory.
#define BANTAM_FOR_PIXELS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define BANTAM_SUMS(i) VI32 sum0_##i = bias0, sum1_##i = bias1;
#define BANTAM_ADD(i)                           \
  if constexpr (i < kPixels) {                  \
    const VU8 four = inputs.template next<i>(); \
    multiply_add(four, w0, sum0_##i);           \
    multiply_add(four, w1, sum1_##i);           \
  }
#define BANTAM_STORE(i) \
  if constexpr (i < kPixels) to.store(i, sum0_##i, sum1_##i);

// A block of channels for kPixels pixels. `ahead`: weights that are needed soon, as many lines as there are
// multiplications of four.
template <int kPixels>
HWY_NOINLINE void multiply(const Runs& runs, const ConvBlockHeader* header, const uint8_t* ahead,
                           const BlockOutput& to) {
  constexpr int kVector = kConvBlock / 2;  // sums of a vector
  const VI32 bias0 = hn::Load(DI32(), header->bias), bias1 = hn::Load(DI32(), header->bias + kVector);
  const auto* w = reinterpret_cast<const int8_t*>(header + 1);
  const uint8_t* row = runs.x;
  BANTAM_FOR_PIXELS(BANTAM_SUMS)
  for (int32_t y = runs.rows; y > 0; --y, row += runs.row) {
    Inputs inputs(row, runs.step);
    for (int32_t k = runs.length; k > 0; k -= kConvDepth) {
      __builtin_prefetch(ahead, 0, 2);  // as far as the second cache
      const VI8 w0 = hn::Load(DI8(), w), w1 = hn::Load(DI8(), w + kConvDepth * kVector);
      BANTAM_FOR_PIXELS(BANTAM_ADD)
      inputs.advance();
      w += kConvDepth * kConvBlock;
      ahead += kLine;
    }
  }
  BANTAM_FOR_PIXELS(BANTAM_STORE)
}

#undef BANTAM_FOR_PIXELS
#undef BANTAM_SUMS
#undef BANTAM_ADD
#undef BANTAM_STORE

using Multiply = void (*)(const Runs& runs, const ConvBlockHeader* header, const uint8_t* ahead,
                          const BlockOutput& to);

template <int... kLess>
HWY_INLINE Multiply multiply_of(int32_t pixels, std::integer_sequence<int, kLess...>) {
  static constexpr Multiply kVariants[] = {multiply<kLess + 1>...};
  return kVariants[pixels - 1];
}

// Goes through the weights of the next block, tile by tile, so that they come closer in the meantime.
struct Ahead {
  const uint8_t* next = nullptr;
  const uint8_t* end = nullptr;

  // `lines` bytes, which may repeat.
  HWY_INLINE const uint8_t* take(ptrdiff_t lines) {
    const uint8_t* taken = end - next >= lines ? next : end - lines;
    next = taken + lines;
    return taken;
  }
};

// A block of channels for one row of output pixels, in tiles of even width.
HWY_INLINE void multiply_row(Runs runs, int32_t columns, const ConvBlockHeader* header, Ahead& ahead,
                             BlockOutput& to) {
  const ptrdiff_t lines = ptrdiff_t{runs.rows} * runs.length / kConvDepth * kLine;
  int32_t left = columns;
  for (auto tile = static_cast<int32_t>(ceil_div(columns, kConvPixels)); tile > 0; --tile) {
    const auto pixels = static_cast<int32_t>(ceil_div(left, tile));
    multiply_of(pixels, std::make_integer_sequence<int, kConvPixels>())(runs, header, ahead.take(lines), to);
    runs.x += pixels * runs.step;
    to.y += pixels * to.y_pixel;
    left -= pixels;
  }
}

HWY_INLINE void multiply_band(const ConvShape& shape, const Band& band, int32_t first_block, int32_t blocks,
                              const uint8_t* x, int8_t* y_image, const uint8_t* packed) {
  const size_t block_bytes = packed_block_bytes(shape);
  Runs runs;
  runs.step = ptrdiff_t{shape.stride_w} * shape.in_channels;
  runs.row = band.row_bytes(shape) * shape.dilation_h;
  runs.rows = shape.kernel_h;
  runs.length = run_length(shape);
  BlockOutput to(shape);
  packed += block_bytes * static_cast<size_t>(first_block);
  for (int32_t block = first_block; block < first_block + blocks; ++block, packed += block_bytes) {
    const auto* header = reinterpret_cast<const ConvBlockHeader*>(packed);
    to.begin(header, shape.out_channels - block * kConvBlock);
    const uint8_t* next = block + 1 < first_block + blocks ? packed + block_bytes : packed;
    Ahead ahead = {next, next + block_bytes};
    for (int32_t row = 0; row < band.rows; ++row) {
      runs.x = x + row * shape.stride_h * band.row_bytes(shape);
      to.y =
          y_image + (int64_t{band.y + row} * shape.out_width + band.x) * shape.y_pixel + block * kConvBlock;
      multiply_row(runs, band.columns, header, ahead, to);
    }
  }
}

// --- what conv.cc calls ---

// Narrow rows leave weights no time to arrive, and a block of few channels multiplies by zeros.
inline bool conv_serves(const ConvShape& shape) {
  constexpr int32_t kFewColumns = 5;
  const int32_t computed = conv_blocks(shape) * kConvBlock;
  return shape.dilation_w == 1 && shape.out_width >= kFewColumns && 8 * computed <= 9 * shape.out_channels;
}

inline void pack_block_weights(const ConvShape& shape, const int8_t* weights, int32_t lane,
                               ConvBlockHeader* header, int8_t* w) {
  const int32_t inputs = shape.kernel_w * shape.in_channels;
  int32_t sum = 0;
  for (int32_t y = 0; y < shape.kernel_h; ++y, w += run_length(shape) * kConvBlock) {
    for (int32_t k = 0; k < inputs; ++k, ++weights) {
      w[(k / kConvDepth * kConvBlock + lane) * kConvDepth + k % kConvDepth] = *weights;
      sum += *weights;
    }
  }
  header->bias[lane] -= (shape.x_zero + 128) * sum;
}

// A band stays beside the core with the weights of a block. Threads share the rows, or the channels where
// these have more weights than there are inputs.
inline ConvSplit split_conv(const ConvShape& shape, int64_t threads) {
  constexpr int64_t kBandBytes = int64_t{128} * 1024, kTasks = 4;
  const int32_t blocks = conv_blocks(shape);
  Band band;
  ConvSplit split;
  split.blocks = blocks;
  split.rows = shape.out_height;
  split.columns = shape.out_width;
  const auto bytes = [&] {
    band.rows = split.rows;
    band.columns = split.columns;
    constexpr int64_t kMost = int64_t{1} << 30;  // whose square is still a number
    return std::min(band.in_rows(shape), kMost) * std::min(band.row_bytes(shape), kMost);
  };
  const int64_t all = bytes();
  while (split.rows > 1 && bytes() > kBandBytes) split.rows = static_cast<int32_t>(ceil_div(split.rows, 2));
  while (split.columns > kConvPixels && bytes() > kBandBytes)
    split.columns = round_up(split.columns / 2, kConvPixels);
  const auto bands = [&] {
    return shape.images * ceil_div(shape.out_height, split.rows) * ceil_div(shape.out_width, split.columns);
  };
  if (threads > 1 && bands() < threads * kTasks) {
    if (static_cast<int64_t>(packed_block_bytes(shape)) * blocks > all && blocks >= threads) {
      split.blocks =
          static_cast<int32_t>(ceil_div(blocks, std::min<int64_t>(blocks, threads * kTasks / bands())));
    } else if (split.rows > 1) {
      while (split.rows > 1 && bands() < threads * kTasks)
        split.rows = static_cast<int32_t>(ceil_div(split.rows, 2));
    } else {
      while (split.columns > kConvPixels && bands() < threads * kTasks)
        split.columns = round_up(split.columns / 2, kConvPixels);
    }
  }
  split.scratch_bytes = static_cast<size_t>(bytes()) + kBandPadding;
  split.tasks = bands() * ceil_div(blocks, split.blocks);
  return split;
}

inline void run_conv(const ConvShape& shape, const ConvSplit& split, const ConvTask& task,
                     const uint8_t* packed) {
  const int64_t block_parts = ceil_div(conv_blocks(shape), split.blocks),
                column_parts = ceil_div(shape.out_width, split.columns),
                row_parts = ceil_div(shape.out_height, split.rows);
  int64_t index = task.index;
  const auto first_block = static_cast<int32_t>(index % block_parts) * split.blocks;
  index /= block_parts;
  Band band;
  band.x = static_cast<int32_t>(index % column_parts) * split.columns;
  index /= column_parts;
  band.y = static_cast<int32_t>(index % row_parts) * split.rows;
  band.image = static_cast<int32_t>(index / row_parts);
  band.rows = std::min(split.rows, shape.out_height - band.y);
  band.columns = std::min(split.columns, shape.out_width - band.x);
  fill_band(shape, band, task.x + band.image * shape.x_image, task.scratch);
  multiply_band(shape, band, first_block, std::min(split.blocks, conv_blocks(shape) - first_block),
                task.scratch, task.y + band.image * shape.out_pixels() * shape.y_pixel, packed);
}

}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
#endif
