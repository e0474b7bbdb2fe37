#include "quantize/ranges.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bantam::compiler {
namespace {

constexpr double kPercentileTail = 1e-5;

Range percentile_range(const Histogram& histogram) {
  const double tail = kPercentileTail * static_cast<double>(histogram.count());
  const float half = histogram.bin_width() / 2;
  Range range{histogram.min(), histogram.max()};
  double seen = 0;
  for (int i = 0; i < Histogram::kBins; ++i) {
    seen += static_cast<double>(histogram.bin(i));
    if (seen > tail) {
      range.min = std::max(range.min, histogram.bin_center(i) - half);
      break;
    }
  }
  seen = 0;
  for (int i = Histogram::kBins - 1; i >= 0; --i) {
    seen += static_cast<double>(histogram.bin(i));
    if (seen > tail) {
      range.max = std::min(range.max, histogram.bin_center(i) + half);
      break;
    }
  }
  return range;
}

// Expected squared error over the histogram when int8 covers `range`: scale^2 / 12 inside (values that fill
// less than a step are taken as they are), the distance to the end outside.
double squared_error(const Histogram& histogram, Range range) {
  const Quantization q = quantization_of(range);
  const double scale = q.scales[0];
  const double low = scale * (-128 - q.zero_point);
  const double high = scale * (127 - q.zero_point);
  const double width = histogram.bin_width();
  const double inside = scale * scale / 12.0;
  double error = 0;
  for (int i = 0; i < Histogram::kBins; ++i) {
    const double count = static_cast<double>(histogram.bin(i));
    if (count == 0) continue;
    const double x = histogram.bin_center(i);
    if (std::fabs(x) < width) continue;  // mostly exact zeros, which every scale represents
    const double outside = x < low ? low - x : (x > high ? x - high : 0.0);
    error += count * (inside + outside * outside);
  }
  return error;
}

// What the distribution over the histogram's bins loses when int8 covers `range`: Kullback-Leibler divergence
// from the values clipped to it to those spread evenly over each of 256 steps, as in TensorRT's calibration.
double divergence(const Histogram& histogram, Range range) {
  const float width = histogram.bin_width();
  const auto bin_of = [&](float x) {
    return std::clamp(static_cast<int>(x / width) + Histogram::kBins / 2, 0, Histogram::kBins - 1);
  };
  const int first = bin_of(range.min), last = bin_of(range.max), bins = last - first + 1;
  std::vector<double> clipped(static_cast<size_t>(bins), 0.0);
  const auto count = [&](int i) {  // without the zeros, which every scale represents
    return std::fabs(histogram.bin_center(i)) < width ? 0.0 : static_cast<double>(histogram.bin(i));
  };
  double total = 0, inside = 0, sum = 0;
  for (int i = 0; i < Histogram::kBins; ++i) {
    clipped[static_cast<size_t>(std::clamp(i, first, last) - first)] += count(i);
    total += count(i);
    inside += i >= first && i <= last ? count(i) : 0;
  }
  for (int step = 0; step < 256; ++step) {
    const int begin = first + step * bins / 256, end = first + (step + 1) * bins / 256;
    double mass = 0, filled = 0;
    for (int i = begin; i < end; ++i) {
      mass += count(i);
      filled += count(i) > 0 ? 1 : 0;
    }
    for (int i = begin; i < end; ++i) {
      const double p = clipped[static_cast<size_t>(i - first)] / total;
      if (p > 0) sum += p * std::log(p * inside * std::max(filled, 1.0) / std::max(mass, 1e-9 * inside));
    }
  }
  return sum;
}

// The range with the least `cost` among those that shrink both ends alike, then each by itself.
Range least_range(const Histogram& histogram, double (*cost)(const Histogram&, Range)) {
  const Range full{std::min(histogram.min(), 0.0f), std::max(histogram.max(), 0.0f)};
  constexpr int kSteps = 64;
  Range best = full;
  double least = cost(histogram, full);
  const auto consider = [&](Range range) {
    const double error = cost(histogram, range);
    if (error < least) {
      least = error;
      best = range;
    }
  };
  for (int i = 1; i < kSteps; ++i) {
    const float f = static_cast<float>(kSteps - i) / kSteps;
    consider({full.min * f, full.max * f});
  }
  for (int round = 0; round < 2; ++round) {
    const Range start = best;
    for (int i = 0; i < kSteps; ++i) {
      const float f = static_cast<float>(kSteps - i) / kSteps;
      consider({full.min * f, best.max});
    }
    for (int i = 0; i < kSteps; ++i) {
      const float f = static_cast<float>(kSteps - i) / kSteps;
      consider({best.min, full.max * f});
    }
    if (best.min == start.min && best.max == start.max) break;
  }
  return best;
}

}  // namespace

Range choose_range(const Histogram& histogram, RangeMethod method) {
  if (histogram.empty()) return {};
  switch (method) {
    case RangeMethod::kPercentile:
      return percentile_range(histogram);
    case RangeMethod::kSquaredError:
      return least_range(histogram, squared_error);
    case RangeMethod::kEntropy:
      return least_range(histogram, divergence);
    case RangeMethod::kMinMax:
    case RangeMethod::kMeasured:
      break;
  }
  return {histogram.min(), histogram.max()};
}

Quantization quantization_of(Range range) {
  const float low = std::min(range.min, 0.0f);
  const float high = std::max(range.max, 0.0f);
  float scale = (high - low) / 255.0f;
  if (!(scale > 1e-12f)) scale = 1.0f / 255.0f;
  const float zero_point = std::nearbyint(-128.0f - low / scale);
  Quantization quantization;
  quantization.scales = {scale};
  quantization.zero_point = static_cast<int32_t>(std::clamp(zero_point, -128.0f, 127.0f));
  return quantization;
}

Quantization quantization_of_constant(const Tensor& tensor) {
  const std::span<const float> data = tensor.as<float>();
  const auto [low, high] = std::minmax_element(data.begin(), data.end());
  return quantization_of({*low, *high});
}

const char* range_method_name(RangeMethod method) {
  switch (method) {
    case RangeMethod::kMinMax:
      return "min-max";
    case RangeMethod::kPercentile:
      return "percentile";
    case RangeMethod::kSquaredError:
      return "squared error";
    case RangeMethod::kEntropy:
      return "entropy";
    case RangeMethod::kMeasured:
      return "measurement";
  }
  return "";
}

}  // namespace bantam::compiler
