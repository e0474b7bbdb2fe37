// For int8 convolutions of images with few channels. XNNPACK pads the channels of every tap of the kernel to
// the depth of its dot products, so that 3 channels cost as much as 8. Here each row of the kernel is made
// one tap: the kernel_w * C neighbouring bytes of the input row that one output pixel needs are copied
// together, padding included, and the convolution becomes one with kernel_w * C channels and a kernel 1 wide.
// The weights stay as they are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel_support.h"
#include "threads.h"

namespace bantam::kernels {

class RowGather {
 public:
  // Whether it pays, on this instruction set.
  static bool pays(const OpContext& context);

  // For an op that it pays for.
  explicit RowGather(const OpContext& context);
  RowGather() = default;

  size_t bytes() const;
  int32_t pixel_stride() const { return stride_; }
  // x as the op's input, y of bytes() bytes.
  void run(ThreadPool* threads, const int8_t* x, int8_t* y) const;

 private:
  void gather_row(const int8_t* x, int8_t* y) const;

  int32_t rows_ = 0;                   // of all samples
  int32_t width_ = 0, out_width_ = 0;  // pixels in a row
  int32_t pixel_ = 0;                  // bytes: channels, of a dense input
  int32_t length_ = 0, stride_ = 0;    // bytes of a gathered pixel, and from one to the next
  int32_t step_ = 0, before_ = 0;      // bytes that the window moves, and of the padding before the row
  int8_t zero_point_ = 0;
};

}  // namespace bantam::kernels
