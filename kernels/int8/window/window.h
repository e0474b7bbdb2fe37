// Sums, maxima and minima of int8 over windows of pixels, channel by channel.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bantam::kernels {

// rows x columns pixels; the strides are in elements.
struct Window {
  const int8_t* x = nullptr;
  int64_t rows = 1, row_stride = 0;
  int64_t columns = 1, column_stride = 0;

  int64_t pixels() const { return rows * columns; }
};

// y = requantize(sum + bias, scale, y_zero), clamped.
struct WindowSum {
  int32_t bias = 0;  // -(zero point of x) * pixels
  float scale = 0;
  int32_t y_zero = 0;
  int8_t y_min = -128, y_max = 127;
};

// Each treats `channels` neighbouring channels. They may read less than a vector past the last channel of a
// pixel.
void window_sum(const Window& window, const WindowSum& sum, int8_t* y, size_t channels);
void window_max(const Window& window, int8_t* y, size_t channels);
void window_min(const Window& window, int8_t* y, size_t channels);

// Of neighbouring elements.
int32_t row_sum(const int8_t* x, size_t count);
int8_t row_max(const int8_t* x, size_t count);
int8_t row_min(const int8_t* x, size_t count);

}  // namespace bantam::kernels
