// Products of matrices of float32 with sparse ones: pixels in the lanes of vectors, so that a weight that is
// zero costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bantam::kernels {

// Of an output channel: its bias and `count` weights; then the next channel's.
struct SparseChannel {
  float bias = 0;
  int32_t count = 0;
};
struct SparseWeight {
  float weight = 0;
  int32_t source = 0;  // input channel times the pixels of a tile
};
static_assert(sizeof(SparseChannel) == sizeof(SparseWeight));

struct SparseProduct {
  int64_t depth = 0, channels = 0;
  int64_t x_pixel = 0, y_pixel = 0;  // elements from one pixel to the next
  float low = 0, high = 0;           // clamp of the output
};

// y[p][o] = clamp(bias[o] + sum over k of x[p][k] * w[k][o]) for at least as many pixels as a tile has.
// `scratch`: depth + 4 rows of a tile's pixels, aligned to 64 bytes.
using SparseRows = void (*)(const SparseProduct& product, const float* x, const SparseChannel* weights,
                            float* y, int64_t pixels, float* scratch);

inline constexpr int64_t kSparseTile = 64, kSmallSparseTile = 32;  // pixels

// `tile`: one of these. Null where it has not been measured to pay.
SparseRows sparse_rows(int64_t tile);

}  // namespace bantam::kernels
