// Convolution of int8 in one group: what the compiled variants for each instruction set share.
//
// Output pixels are taken in panels. Everything that a pixel's sums need, kernel_h * kernel_w * C inputs less
// their zero point, is copied into a row of the panel as int16, padding as zeros, and the convolution becomes
// a product of matrices.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bantam::kernels {

inline constexpr int32_t kConvBlock = 16;  // output channels that are computed at one time
inline constexpr int32_t kConvRows = 4;    // output pixels that are computed at one time
inline constexpr int32_t kConvDepth = 2;   // inputs that one instruction multiplies and adds

constexpr int32_t round_up(int32_t value, int32_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

struct ConvShape {
  int32_t in_height = 0, in_width = 0, in_channels = 0;
  int32_t out_height = 0, out_width = 0, out_channels = 0;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1;
  int32_t dilation_h = 1, dilation_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  int64_t x_pixel = 0, y_pixel = 0;  // elements from one pixel to the next
  int32_t x_zero = 0, y_zero = 0;
  int8_t y_min = -128, y_max = 127;

  int32_t depth() const { return kernel_h * kernel_w * in_channels; }
  // Pairs of inputs; the second of the last one may be none.
  int32_t pairs() const { return (depth() + kConvDepth - 1) / kConvDepth; }
  int32_t blocks() const { return (out_channels + kConvBlock - 1) / kConvBlock; }
  // Elements of a panel's row; copies may write this many past the inputs.
  int32_t row() const { return round_up(depth(), kConvBlock) + kConvBlock; }
  int64_t out_pixels() const { return int64_t{out_height} * out_width; }
  int64_t x_image() const { return x_pixel * in_width * in_height; }
};

// What the packing makes its blocks of.
struct ConvWeights {
  const int8_t* weights = nullptr;  // [out_channels, kernel_h, kernel_w, in_channels]
  const int32_t* bias = nullptr;    // [out_channels] or null
  const float* scales = nullptr;    // of the requantization, [out_channels]
};

// A packed block: bias and scales of its channels, then for each pair of inputs the weights of its channels.
inline size_t packed_conv_block_bytes(const ConvShape& shape) {
  return kConvBlock *
         (sizeof(int32_t) + sizeof(float) + static_cast<size_t>(shape.pairs()) * kConvDepth * sizeof(int8_t));
}

// Output pixels [first, first + count) of all images in a row.
struct ConvTask {
  const int8_t* x = nullptr;
  int8_t* y = nullptr;
  int16_t* panel = nullptr;  // shape.row() for each pixel
  int64_t first = 0;
  int32_t count = 0;
};

}  // namespace bantam::kernels
