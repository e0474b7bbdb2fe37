// What calibration remembers of a tensor: a histogram of constant size whose range grows with the data.
// Histograms of different threads add up to the same result in any order.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "quantize/sample_halves.h"

namespace bantam::compiler {

class Histogram {
 public:
  static constexpr int kBins = 4096;  // over [-reach, reach); even

  void add(std::span<const float> values);
  void merge(const Histogram& other);

  bool empty() const { return count_ == 0; }
  int64_t count() const { return count_; }
  int64_t not_finite() const { return not_finite_; }  // NaN and infinity, counted but not entered
  float min() const { return min_; }
  float max() const { return max_; }
  float bin_width() const { return 2 * reach_ / kBins; }
  float bin_center(int bin) const { return -reach_ + (static_cast<float>(bin) + 0.5f) * bin_width(); }
  int64_t bin(int i) const { return bins_[static_cast<size_t>(i)]; }

 private:
  void widen();  // doubles the range
  void cover(float magnitude);

  std::array<int64_t, kBins> bins_ = {};
  float reach_ = 0x1p-20f;  // a power of two, so that ranges of all histograms are commensurable
  float min_ = 0;
  float max_ = 0;
  int64_t count_ = 0;
  int64_t not_finite_ = 0;
};

// That of two halves of the samples, so that what is chosen by one can be judged by the other.
class SplitHistogram {
 public:
  void add(int sample, std::span<const float> values) { halves_[half_of(sample)].add(values); }
  void merge(const SplitHistogram& other);

  const Histogram& half(size_t i) const { return halves_[i]; }
  Histogram whole() const;
  bool empty() const { return halves_[0].empty() && halves_[1].empty(); }
  int64_t not_finite() const { return halves_[0].not_finite() + halves_[1].not_finite(); }
  float min() const { return std::min(halves_[0].min(), halves_[1].min()); }
  float max() const { return std::max(halves_[0].max(), halves_[1].max()); }

 private:
  // Not as sample_halves.h does alone, so that each of those halves is split, too.
  static size_t half_of(int sample) {
    return is_in_second_half(static_cast<unsigned>(sample) & 0x55555555u) ? 1 : 0;
  }

  std::array<Histogram, 2> halves_;
};

}  // namespace bantam::compiler
