#include "search/interval.h"

#include <algorithm>
#include <cmath>

namespace bantam::compiler {
namespace {

constexpr double kZ = 1.959963984540054;  // 95 % of a normal distribution lie within

Interval wilson(double share, double samples) {
  const double spread = kZ * kZ / samples;
  const double center = (share + spread / 2) / (1 + spread);
  const double half = std::sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread);
  return {std::max(0.0, center - half), std::min(1.0, center + half)};
}

}  // namespace

Interval wilson_interval(int64_t count, int64_t samples) {
  if (samples <= 0) return {};
  const auto n = static_cast<double>(samples);
  return wilson(static_cast<double>(count) / n, n);
}

Interval paired_interval(int64_t lost, int64_t won, int64_t samples) {
  if (samples <= 0) return {-1, 1};
  const double b = static_cast<double>(lost) + 0.5, c = static_cast<double>(won) + 0.5;
  const double n = static_cast<double>(samples) + 2;
  const double half = kZ * std::sqrt(b + c - (b - c) * (b - c) / n) / n;
  return {std::max(-1.0, (b - c) / n - half), std::min(1.0, (b - c) / n + half)};
}

int64_t samples_to_settle(double seen, double target) {
  const double share = std::clamp(seen, 0.0, 1.0);
  if (share == target) return 0;
  const auto settled = [&](int64_t samples) {
    const Interval interval = wilson(share, static_cast<double>(samples));
    return share < target ? interval.high <= target : interval.low >= target;
  };
  int64_t high = 1;
  while (!settled(high)) {
    if (high > int64_t{1} << 40) return 0;
    high *= 2;
  }
  int64_t low = high / 2;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (settled(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace bantam::compiler
