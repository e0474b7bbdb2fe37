#include "quantize/channel_means.h"

#include <algorithm>
#include <cmath>

namespace bantam::compiler {
namespace {

constexpr double kSteps = 0x1p40;
constexpr double kLargest = 0x1p60;  // leaves room for 2^60 samples in 128 bits

}  // namespace

void ChannelMeans::add(std::span<const float> values, size_t channels) {
  if (channels == 0 || values.size() < channels) return;
  sums_.resize(channels);
  std::vector<double> sums(channels, 0.0);
  const size_t rows = values.size() / channels;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t c = 0; c < channels; ++c) sums[c] += values[row * channels + c];
  }
  for (size_t c = 0; c < channels; ++c) {
    const double mean = sums[c] / static_cast<double>(rows) * kSteps;
    sums_[c] += static_cast<int64_t>(std::clamp(std::isfinite(mean) ? mean : 0.0, -kLargest, kLargest));
  }
  ++samples_;
}

void ChannelMeans::merge(const ChannelMeans& other) {
  if (other.empty()) return;
  sums_.resize(other.sums_.size());
  for (size_t c = 0; c < sums_.size(); ++c) sums_[c] += other.sums_[c];
  samples_ += other.samples_;
}

std::vector<double> ChannelMeans::means() const {
  std::vector<double> result;
  for (const __int128 sum : sums_) {
    result.push_back(static_cast<double>(sum) / (kSteps * static_cast<double>(samples_)));
  }
  return result;
}

}  // namespace bantam::compiler
