// For int8 convolutions of images with few channels. XNNPACK pads the channels of every tap of the kernel to
// the depth of its dot products, so that 3 channels cost as much as 8. Here each row of the kernel is made
// one tap: the kernel_w * C neighbouring bytes of the input row that one output pixel needs are copied
// together, padding included, and the convolution becomes one with kernel_w * C channels and a kernel 1 wide.
// The weights stay as they are. This is done for a band of output rows at a time, all of the same number of
// rows, so that what is copied stays beside the core.
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

  int32_t pixel_stride() const { return stride_; }
  int32_t in_rows() const { return in_rows_; }    // gathered for a band, padding included
  int32_t out_rows() const { return out_rows_; }  // of a band
  size_t bytes() const;
  // The band that begins with output row `first`; x is one image of the op's input, y of bytes() bytes.
  void run(ThreadPool* threads, const int8_t* x, int32_t first, int8_t* y) const;

 private:
  void gather_row(const int8_t* x, int8_t* y) const;

  int32_t height_ = 0, width_ = 0, out_width_ = 0;  // pixels
  int32_t in_rows_ = 0, out_rows_ = 0;
  int32_t row_step_ = 0, row_before_ = 0;  // rows that the window moves, and of the padding above
  int32_t pixel_ = 0;                      // bytes: channels, of a dense input
  int32_t length_ = 0, stride_ = 0;        // bytes of a gathered pixel, and from one to the next
  int32_t step_ = 0, before_ = 0;          // bytes that the window moves, and of the padding before the row
  int8_t zero_point_ = 0;
};

}  // namespace bantam::kernels
