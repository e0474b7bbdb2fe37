// Products of matrices of float32 with one vector of columns, where XNNPACK's tiles have two.
#pragma once

#include <cstdint>

namespace bantam::kernels {

inline constexpr int32_t kNarrowChannels = 16;  // one vector
inline constexpr int64_t kNarrowPixels = 14;    // that are computed at one time

struct NarrowProduct {
  int64_t depth = 0;
  int64_t x_pixel = 0, y_pixel = 0;  // elements from one pixel to the next
  int32_t channels = 0;              // at most kNarrowChannels
  float low = 0, high = 0;           // clamp of the output
};

// y[p][c] = clamp(bias[c] + sum over k of x[p][k] * w[k][c]) for at least kNarrowPixels pixels. Weights: the
// bias, then w, kNarrowChannels each.
using NarrowRows = void (*)(const NarrowProduct& product, const float* x, const float* weights, float* y,
                            int64_t pixels);

// Null where XNNPACK's tiles are no wider than this.
NarrowRows narrow_rows();

}  // namespace bantam::kernels
