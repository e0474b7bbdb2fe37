// Times of plans in memory, measured here in turns, so that what else goes on meets all of them alike.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "timing/device_profile.h"

namespace bantam::tools {

using PlanBytes = std::span<const std::byte>;

struct PlanTimes {
  std::vector<double> op_ms;  // the least of each op's, which other load can only raise
  double total_ms = 0;        // the median over the turns of a whole run
};

// For about `seconds` in all, but at least a few turns.
std::vector<PlanTimes> time_plans(const std::vector<PlanBytes>& plans, int threads, double seconds,
                                  const std::string& where);

// Measures the ops of plan files and adds them to the profile in `file`, which is made if it is not there and
// stays as it was when something fails. Returns the profile. A Failure when the file is of another machine or
// number of threads.
DeviceProfile record_profile(const std::string& file, const std::vector<std::string>& plans, int threads,
                             double seconds);

}  // namespace bantam::tools
