// Convolution of int8 in one group: what the compiled variants for each instruction set share. Those copy
// their input to where it is convenient, panels (panels-inl.h) or bands (bands-inl.h), and then multiply.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rounding.h"

namespace bantam::kernels {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct ConvShape {
  int32_t images = 1;
  int32_t in_height = 0, in_width = 0, in_channels = 0;
  int32_t out_height = 0, out_width = 0, out_channels = 0;
  int32_t kernel_h = 1, kernel_w = 1;
  int32_t stride_h = 1, stride_w = 1;
  int32_t dilation_h = 1, dilation_w = 1;
  int32_t pad_top = 0, pad_left = 0;
  int64_t x_pixel = 0, x_row = 0, x_image = 0;  // elements from one to the next
  int64_t y_pixel = 0;
  int32_t x_zero = 0, y_zero = 0;
  int8_t y_min = -128, y_max = 127;

  int32_t depth() const { return kernel_h * kernel_w * in_channels; }
  int64_t out_pixels() const { return int64_t{out_height} * out_width; }  // of an image
};

// What the packing makes its blocks of.
struct ConvWeights {
  const int8_t* weights = nullptr;  // [out_channels, kernel_h, kernel_w, in_channels]
  const int32_t* bias = nullptr;    // [out_channels] or null
  const float* scales = nullptr;    // of the requantization, [out_channels]
};

// How a convolution is cut into tasks, of which every thread does one at a time.
struct ConvSplit {
  int64_t tasks = 0;
  size_t scratch_bytes = 0;  // of a task
  // Panels: output pixels of a task. Bands: rows and columns of output pixels, and blocks of channels.
  int64_t pixels = 0;
  int32_t rows = 0, columns = 0, blocks = 0;
};

struct ConvTask {
  int64_t index = 0;
  const int8_t* x = nullptr;
  int8_t* y = nullptr;
  uint8_t* scratch = nullptr;  // aligned to kTensorAlignment
};

}  // namespace bantam::kernels
