// One int8 convolution: its tensors, the op, and what naive loops and XNNPACK make of it.
#pragma once

#include <vector>

#include "one_op.h"

namespace bantam::test {

struct ConvCase {
  int32_t batch = 1, height, width, in_channels, out_channels;
  int32_t kernel_h, kernel_w, stride = 1, dilation = 1;
  int32_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  int32_t groups = 1;
  int32_t x_gap = 0, y_gap = 0;  // channels between the pixels of views
  bool bias = true;
};

class Conv {
 public:
  explicit Conv(const ConvCase& c);

  OneOp op();
  std::vector<int8_t> naive() const;
  std::vector<int8_t> xnnpack() const;

 private:
  int32_t sum(int32_t n, int32_t oy, int32_t ox, int32_t channel) const;

  ConvCase case_;
  int32_t out_height_, out_width_;
  Tensor x_, w_, bias_, y_;
};

// That naive loops and XNNPACK agree, and `factory` with them on every instruction set that it serves.
void check_conv(const ConvCase& c, Factory factory);

}  // namespace bantam::test
