// Depthwise convolution of float32, 3x3 and 5x5, strides 1 and 2: a block of channels at a time, tiles of
// neighbouring output pixels in registers.
#pragma once

#include <cstdint>

namespace bantam::kernels {

// Channels of a block: one cache line. Blocks are padded to it in the packed weights, never in the tensors.
inline constexpr int32_t kDepthwiseFloats = 16;

struct DepthwiseImage {
  int32_t in_height = 0, in_width = 0, out_height = 0, out_width = 0;
  int32_t pad_top = 0, pad_left = 0;
  int64_t x_pixel = 0, y_pixel = 0;  // elements from one pixel to the next
  float low = 0, high = 0;           // clamp of the output
};

// Output rows [row_begin, row_end) of `channels` (at most kDepthwiseFloats) channels of one image; x and y
// point to the first of them. Weights: the bias, then tap by tap, kDepthwiseFloats each. Reads up to 60 bytes
// past the last pixel.
using DepthwiseBlock = void (*)(const DepthwiseImage& image, const float* x, const float* weights, float* y,
                                int32_t channels, int32_t row_begin, int32_t row_end);

// kernel: 3 or 5; stride: 1 or 2.
DepthwiseBlock depthwise_block(int32_t kernel, int32_t stride);

}  // namespace bantam::kernels
