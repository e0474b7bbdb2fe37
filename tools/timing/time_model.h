// How long an op takes, told from the times of others of its kind.
#pragma once

#include <array>
#include <span>

namespace bantam::tools {

// What time is spent on: multiply-accumulates, outputs, bytes, and one for whatever an op costs by itself.
using WorkFeatures = std::array<double, 4>;

struct KnownTime {
  WorkFeatures work;
  double ms = 0;
};

// Milliseconds for `work`: a sum of its parts, none of them negative, that fits the known times best (by
// least squares of relative errors, those weighing most that are alike), times what the nearest of them take
// beyond theirs. `known` is not empty.
double model_time(const WorkFeatures& work, std::span<const KnownTime> known);

}  // namespace bantam::tools
