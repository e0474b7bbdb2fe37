// Depthwise convolution of int8, 3x3 and 5x5: what the compiled variants for each instruction set share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bantam::kernels {

struct DepthwiseShape {
  int32_t kernel = 3;  // height and width: 3 or 5
  int32_t stride = 1;  // 1 or 2
  int32_t channels = 0;
  int32_t in_height = 0, in_width = 0;
  int32_t out_height = 0, out_width = 0;
  int32_t pad_top = 0, pad_left = 0;
  int64_t x_pixel = 0, y_pixel = 0;  // elements from one pixel to the next
  int32_t y_zero = 0;
  int8_t y_min = -128, y_max = 127;

  int64_t x_image() const { return x_pixel * in_width * in_height; }
  int64_t y_image() const { return y_pixel * out_width * out_height; }
};

// What the packing makes its blocks of.
struct DepthwiseWeights {
  const int8_t* weights = nullptr;  // [channels, kernel, kernel]
  const int32_t* bias = nullptr;    // [channels] or null
  const float* scales = nullptr;    // of the requantization, [channels]
  int32_t x_zero = 0;
};

// One row of tiles: `row` is the first of the output rows it covers.
struct DepthwiseTask {
  const int8_t* x = nullptr;  // an image
  int8_t* y = nullptr;
  const int8_t* zeros = nullptr;  // a pixel of zero points, readable for kDepthwiseBlock bytes more
  int32_t row = 0;
  int32_t first_channel = 0, end_channel = 0;  // multiples of kDepthwiseBlock, or the last channel
};

inline constexpr int32_t kDepthwiseBlock = 64;

// Output rows in a row of tiles.
constexpr int32_t depthwise_tile_rows(int32_t stride) { return stride == 1 ? 2 : 1; }

}  // namespace bantam::kernels
