#include "quantize/ranges.h"

#include <algorithm>
#include <cmath>

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

Range squared_error_range(const Histogram& histogram) {
  const Range full{std::min(histogram.min(), 0.0f), std::max(histogram.max(), 0.0f)};
  constexpr int kSteps = 64;
  Range best = full;
  double least = squared_error(histogram, full);
  const auto consider = [&](Range range) {
    const double error = squared_error(histogram, range);
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

constexpr float kMargins[] = {1.0f, 1.1f, 1.2f, 1.35f, 1.5f, 1.75f, 2.0f};

Range widened(Range range, float margin) { return {range.min * margin, range.max * margin}; }

// The part of a range, of which more than all is needed for values not seen.
float margin_of(const SplitHistogram& histogram) {
  if (histogram.half(0).empty() || histogram.half(1).empty()) return 1;
  const Range ranges[] = {squared_error_range(histogram.half(0)), squared_error_range(histogram.half(1))};
  float best = 1;
  double least = INFINITY;
  for (float margin : kMargins) {
    const double error = squared_error(histogram.half(0), widened(ranges[1], margin)) +
                         squared_error(histogram.half(1), widened(ranges[0], margin));
    if (error >= least) continue;
    least = error;
    best = margin;
  }
  return best;
}

}  // namespace

Range choose_range(const SplitHistogram& histogram, RangeMethod method) {
  const Range range = choose_range(histogram.whole(), method);
  return method == RangeMethod::kSquaredError ? widened(range, margin_of(histogram)) : range;
}

Range choose_range(const Histogram& histogram, RangeMethod method) {
  if (histogram.empty()) return {};
  switch (method) {
    case RangeMethod::kPercentile:
      return percentile_range(histogram);
    case RangeMethod::kSquaredError:
      return squared_error_range(histogram);
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
    case RangeMethod::kMeasured:
      return "measurement";
  }
  return "";
}

}  // namespace bantam::compiler
