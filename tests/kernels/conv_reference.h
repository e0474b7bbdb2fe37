// Convolutions as loops in double precision, NHWC.
#pragma once

#include "support.h"

namespace bantam::test {

// Square stride, dilation and padding.
struct ConvCase {
  int32_t n, h, w, in, out, kh, kw, stride, dilation, pad, groups;
};

// Padding is by `pad` where the kernel is longer than 1.
int32_t pad_h(const ConvCase& c);
int32_t pad_w(const ConvCase& c);
Dims conv_dims(const ConvCase& c);
Dims transposed_dims(const ConvCase& c, int32_t output_pad);
plan::Conv2dT conv_attributes(const ConvCase& c, float min, float max);

// w is [out, kh, kw, in / groups]; an empty bias is none.
std::vector<double> conv(const ConvCase& c, const std::vector<double>& x, const std::vector<double>& w,
                         const std::vector<double>& bias);
std::vector<double> conv_transpose(const ConvCase& c, int32_t output_pad, const std::vector<double>& x,
                                   const std::vector<double>& w, const std::vector<double>& bias);

std::vector<double> clamped(std::vector<double> values, double low, double high);

}  // namespace bantam::test
