// The mean of every channel (last axis) of a tensor over many samples. Sums are fixed-point, so that they do
// not depend on the order in which samples come.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bantam::compiler {

class ChannelMeans {
 public:
  // One sample: any number of rows of `channels` values.
  void add(std::span<const float> values, size_t channels);
  void merge(const ChannelMeans& other);

  bool empty() const { return samples_ == 0; }
  std::vector<double> means() const;

 private:
  std::vector<__int128> sums_;  // of the samples' means, in steps of 2^-40
  int64_t samples_ = 0;
};

}  // namespace bantam::compiler
