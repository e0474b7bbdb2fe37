// How many weights each layer loses, so that all together lose as many as were asked for at the least loss.
#pragma once

#include <cstdint>
#include <vector>

namespace bantam::compiler {

// What a layer costs at some counts of weights that are zero, in ascending order from 0 at count 0.
struct LossCurve {
  std::vector<int64_t> counts;
  std::vector<double> losses;
};

// Zeros by layer, `total` together or as many as the curves reach. Between their points, curves count as
// straight; what bends upwards is taken only as far as it pays, so the lower hull of each is used.
std::vector<int64_t> allocate_zeros(const std::vector<LossCurve>& curves, int64_t total);

}  // namespace bantam::compiler
