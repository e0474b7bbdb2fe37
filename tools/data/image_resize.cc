// Pillow's antialiased bilinear resize (libImaging/Resample.c): a triangle filter as wide as the scale, the
// horizontal pass before the vertical one. Of pixels (the 8 bits per channel path) with coefficients in fixed
// point.
#include <algorithm>
#include <cmath>

#include "data/image.h"

namespace bantam::tools {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;

// Which input pixels make output pixel i: `weights[i * taps ...]` from `first[i]`, `count[i]` of them.
struct Filter {
  int taps = 0;
  std::vector<int> first;
  std::vector<int> count;
  std::vector<double> weights;
};

double triangle(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

Filter make_filter(int in, int out) {
  double scale = static_cast<double>(in) / out;
  double filter_scale = std::max(scale, 1.0);
  double support = filter_scale;
  Filter filter;
  filter.taps = static_cast<int>(std::ceil(support)) * 2 + 1;
  filter.weights.resize(static_cast<size_t>(filter.taps) * static_cast<size_t>(out));
  for (int i = 0; i < out; ++i) {
    double* weights = &filter.weights[static_cast<size_t>(i) * static_cast<size_t>(filter.taps)];
    double center = (i + 0.5) * scale;
    double inverse = 1.0 / filter_scale;
    int first = std::max(static_cast<int>(center - support + 0.5), 0);
    int count = std::min(static_cast<int>(center + support + 0.5), in) - first;
    double sum = 0;
    for (int k = 0; k < count; ++k) {
      weights[k] = triangle((k + first - center + 0.5) * inverse);
      sum += weights[k];
    }
    for (int k = 0; k < count && sum != 0.0; ++k) weights[k] /= sum;
    filter.first.push_back(first);
    filter.count.push_back(count);
  }
  return filter;
}

std::vector<int32_t> in_fixed_point(const Filter& filter) {
  std::vector<int32_t> weights;
  for (double weight : filter.weights)
    weights.push_back(static_cast<int32_t>(0.5 + weight * (1 << kPrecisionBits)));
  return weights;
}

// One pass along an axis: `lines` lines, each of `in` pixels `step` elements apart, starting `line_step`
// elements apart.
struct Axis {
  size_t lines, line_step_in, line_step_out, step_in, step_out;
};

void resample(const uint8_t* in, uint8_t* out, const Axis& axis, const Filter& filter, size_t channels) {
  const std::vector<int32_t> fixed = in_fixed_point(filter);
  for (size_t line = 0; line < axis.lines; ++line) {
    for (size_t i = 0; i < filter.first.size(); ++i) {
      const int32_t* weights = &fixed[i * static_cast<size_t>(filter.taps)];
      const uint8_t* from =
          in + line * axis.line_step_in + static_cast<size_t>(filter.first[i]) * axis.step_in;
      uint8_t* to = out + line * axis.line_step_out + i * axis.step_out;
      for (size_t c = 0; c < channels; ++c) {
        int32_t sum = 1 << (kPrecisionBits - 1);
        for (int k = 0; k < filter.count[i]; ++k)
          sum += from[static_cast<size_t>(k) * axis.step_in + c] * weights[k];
        to[c] = static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
      }
    }
  }
}

// Of single values, not pixels.
void resample(const float* in, float* out, const Axis& axis, const Filter& filter) {
  for (size_t line = 0; line < axis.lines; ++line) {
    for (size_t i = 0; i < filter.first.size(); ++i) {
      const double* weights = &filter.weights[i * static_cast<size_t>(filter.taps)];
      const float* from = in + line * axis.line_step_in + static_cast<size_t>(filter.first[i]) * axis.step_in;
      double sum = 0;
      for (int k = 0; k < filter.count[i]; ++k)
        sum += double{from[static_cast<size_t>(k) * axis.step_in]} * weights[k];
      out[line * axis.line_step_out + i * axis.step_out] = static_cast<float>(sum);
    }
  }
}

}  // namespace

Tensor resize_maps(const Tensor& maps, int height, int width) {
  const size_t rank = maps.shape.size();
  const auto old_height = static_cast<size_t>(maps.shape[rank - 2]);
  const auto old_width = static_cast<size_t>(maps.shape[rank - 1]);
  const auto rows = static_cast<size_t>(height), columns = static_cast<size_t>(width);
  Tensor out{maps.dtype, maps.shape, {}};
  out.shape[rank - 2] = height;
  out.shape[rank - 1] = width;
  out.bytes.resize(static_cast<size_t>(element_count(out.shape)) * sizeof(float));
  const Filter across = make_filter(static_cast<int>(old_width), width);
  const Filter down = make_filter(static_cast<int>(old_height), height);
  std::vector<float> wide(old_height * columns);
  auto* to = reinterpret_cast<float*>(out.bytes.data());
  const std::span<const float> from = maps.as<float>();
  for (size_t at = 0; at < from.size(); at += old_height * old_width, to += rows * columns) {
    resample(&from[at], wide.data(), {old_height, old_width, columns, 1, 1}, across);
    resample(wide.data(), to, {columns, 1, 1, columns, columns}, down);
  }
  return out;
}

Image resize_image(const Image& image, int height, int width) {
  size_t channels = static_cast<size_t>(image.channels);
  size_t old_row = static_cast<size_t>(image.width) * channels,
         new_row = static_cast<size_t>(width) * channels;
  Image wide = image;
  if (width != image.width) {
    wide = Image{image.height, width, image.channels, {}};
    wide.pixels.resize(static_cast<size_t>(image.height) * new_row);
    Axis axis{static_cast<size_t>(image.height), old_row, new_row, channels, channels};
    resample(image.pixels.data(), wide.pixels.data(), axis, make_filter(image.width, width), channels);
  }
  if (height == image.height) return wide;
  Image out{height, width, image.channels, {}};
  out.pixels.resize(static_cast<size_t>(height) * new_row);
  Axis axis{static_cast<size_t>(width), channels, channels, new_row, new_row};
  resample(wide.pixels.data(), out.pixels.data(), axis, make_filter(image.height, height), channels);
  return out;
}

}  // namespace bantam::tools
