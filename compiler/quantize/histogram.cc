#include "quantize/histogram.h"

#include <algorithm>
#include <cmath>

namespace bantam::compiler {

void Histogram::widen() {
  constexpr int kHalf = kBins / 2;
  std::array<int64_t, kBins> wider = {};
  for (int i = 0; i < kBins; ++i)
    wider[static_cast<size_t>(kHalf / 2 + i / 2)] += bins_[static_cast<size_t>(i)];
  bins_ = wider;
  reach_ *= 2;
}

void Histogram::cover(float magnitude) {
  while (magnitude >= reach_) widen();
}

void Histogram::add(std::span<const float> values) {
  float low = INFINITY;
  float high = -INFINITY;
  int64_t finite = 0;
  for (float x : values) {
    if (!std::isfinite(x)) continue;
    low = std::min(low, x);
    high = std::max(high, x);
    ++finite;
  }
  not_finite_ += static_cast<int64_t>(values.size()) - finite;
  if (finite == 0) return;
  cover(std::max(std::fabs(low), std::fabs(high)));
  const float scale = 1.0f / bin_width();  // a power of two: exact
  const float shift = static_cast<float>(kBins / 2);
  for (float x : values) {
    if (!std::isfinite(x)) continue;
    const int bin = static_cast<int>(std::floor(x * scale + shift));
    ++bins_[static_cast<size_t>(std::clamp(bin, 0, kBins - 1))];
  }
  min_ = count_ == 0 ? low : std::min(min_, low);
  max_ = count_ == 0 ? high : std::max(max_, high);
  count_ += finite;
}

void Histogram::merge(const Histogram& other) {
  not_finite_ += other.not_finite_;
  if (other.empty()) return;
  Histogram copy = other;
  while (reach_ < copy.reach_) widen();
  while (copy.reach_ < reach_) copy.widen();
  for (size_t i = 0; i < bins_.size(); ++i) bins_[i] += copy.bins_[i];
  min_ = count_ == 0 ? copy.min_ : std::min(min_, copy.min_);
  max_ = count_ == 0 ? copy.max_ : std::max(max_, copy.max_);
  count_ += copy.count_;
}

void SplitHistogram::merge(const SplitHistogram& other) {
  for (size_t i = 0; i < halves_.size(); ++i) halves_[i].merge(other.halves_[i]);
}

Histogram SplitHistogram::whole() const {
  Histogram sum = halves_[0];
  sum.merge(halves_[1]);
  return sum;
}

}  // namespace bantam::compiler
