// Calibration samples in two halves: what is chosen by one can be judged by the other.
#pragma once

#include <bit>
#include <vector>

namespace bantam::compiler {

// Data often come in a regular order: neighbours take turns in going to one half or the other.
inline bool is_in_second_half(unsigned sample) { return std::popcount(sample) % 2 == 1; }

inline std::vector<int> every_sample(int count) {
  std::vector<int> samples;
  for (int i = 0; i < count; ++i) samples.push_back(i);
  return samples;
}

// So few that each half has to judge what was found on the other: one half alone tells too little.
inline bool are_few_samples(int count) { return count >= 2 && count <= 64; }

// The indices of one half; of all where there is no second one.
inline std::vector<int> half_of_samples(int count, bool second) {
  if (count < 2) return every_sample(count);
  std::vector<int> samples;
  for (int i = 0; i < count; ++i) {
    if (is_in_second_half(static_cast<unsigned>(i)) == second) samples.push_back(i);
  }
  return samples;
}

}  // namespace bantam::compiler
