#include "conv_reference.h"

#include <algorithm>

namespace bantam::test {
namespace {

int32_t extent(int32_t kernel, int32_t dilation) { return (kernel - 1) * dilation + 1; }

// Calls body(input channel block, tap of the kernel) for each pair of an input and an output pixel that meet.
double dot(const ConvCase& c, const double* x, const double* w, int32_t o) {
  const int32_t depth = c.in / c.groups, first = o / (c.out / c.groups) * depth;
  double sum = 0;
  for (int32_t i = 0; i < depth; ++i) sum += x[first + i] * w[i];
  return sum;
}

}  // namespace

int32_t pad_h(const ConvCase& c) { return c.kh > 1 ? c.pad : 0; }
int32_t pad_w(const ConvCase& c) { return c.kw > 1 ? c.pad : 0; }

Dims conv_dims(const ConvCase& c) {
  return {c.n, (c.h + 2 * pad_h(c) - extent(c.kh, c.dilation)) / c.stride + 1,
          (c.w + 2 * pad_w(c) - extent(c.kw, c.dilation)) / c.stride + 1, c.out};
}

Dims transposed_dims(const ConvCase& c, int32_t output_pad) {
  return {c.n, (c.h - 1) * c.stride + extent(c.kh, c.dilation) + output_pad - 2 * pad_h(c),
          (c.w - 1) * c.stride + extent(c.kw, c.dilation) + output_pad - 2 * pad_w(c), c.out};
}

plan::Conv2dT conv_attributes(const ConvCase& c, float min, float max) {
  plan::Conv2dT a;
  a.stride_h = a.stride_w = c.stride;
  a.dilation_h = a.dilation_w = c.dilation;
  a.pad_top = a.pad_bottom = pad_h(c);
  a.pad_left = a.pad_right = pad_w(c);
  a.groups = c.groups;
  a.clamp = std::make_unique<plan::Clamp>(min, max, int8_t{-128}, int8_t{127});
  return a;
}

std::vector<double> conv(const ConvCase& c, const std::vector<double>& x, const std::vector<double>& w,
                         const std::vector<double>& bias) {
  const Dims dims = conv_dims(c);
  std::vector<double> y(static_cast<size_t>(count(dims)));
  const int32_t depth = c.in / c.groups;
  for_each_index(dims, [&](const Index& i, size_t at) {
    y[at] = bias.empty() ? 0 : bias[static_cast<size_t>(i[3])];
    for (int32_t ky = 0; ky < c.kh; ++ky) {
      for (int32_t kx = 0; kx < c.kw; ++kx) {
        const int32_t iy = i[1] * c.stride + ky * c.dilation - pad_h(c);
        const int32_t ix = i[2] * c.stride + kx * c.dilation - pad_w(c);
        if (iy < 0 || iy >= c.h || ix < 0 || ix >= c.w) continue;
        y[at] += dot(c, &x[size_t((i[0] * c.h + iy) * c.w + ix) * size_t(c.in)],
                     &w[size_t((i[3] * c.kh + ky) * c.kw + kx) * size_t(depth)], i[3]);
      }
    }
  });
  return y;
}

std::vector<double> conv_transpose(const ConvCase& c, int32_t output_pad, const std::vector<double>& x,
                                   const std::vector<double>& w, const std::vector<double>& bias) {
  const Dims dims = transposed_dims(c, output_pad);
  std::vector<double> y(static_cast<size_t>(count(dims)));
  for (size_t i = 0; i < y.size() && !bias.empty(); ++i) y[i] = bias[i % static_cast<size_t>(c.out)];
  const int32_t depth = c.in / c.groups;
  for_each_index({c.n, c.h, c.w, c.kh, c.kw}, [&](const Index& i, size_t) {
    const int32_t oy = i[1] * c.stride + i[3] * c.dilation - pad_h(c);
    const int32_t ox = i[2] * c.stride + i[4] * c.dilation - pad_w(c);
    if (oy < 0 || oy >= dims[1] || ox < 0 || ox >= dims[2]) return;
    for (int32_t o = 0; o < c.out; ++o) {
      y[size_t((i[0] * dims[1] + oy) * dims[2] + ox) * size_t(c.out) + size_t(o)] +=
          dot(c, &x[size_t((i[0] * c.h + i[1]) * c.w + i[2]) * size_t(c.in)],
              &w[size_t((o * c.kh + i[3]) * c.kw + i[4]) * size_t(depth)], o);
    }
  });
  return y;
}

std::vector<double> clamped(std::vector<double> values, double low, double high) {
  for (double& value : values) value = std::clamp(value, low, high);
  return values;
}

}  // namespace bantam::test
