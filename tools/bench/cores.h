// The CPUs that this process may use, by speed, and the ways to spread a session's threads over them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bantam::tools {

std::vector<int> allowed_cpus();            // by the process's affinity, ascending
void pin_to(const std::vector<int>& cpus);  // this thread and those that it starts; throws a Failure

// CPUs of about the same speed, such as the big or the little ones of an ARM processor.
struct CoreGroup {
  int64_t speed = 0;  // capacity or kHz; 0: not told
  std::vector<int> cpus;
};
std::vector<CoreGroup> core_groups(const std::string& root, std::vector<int> cpus);  // the fastest first

struct CoreChoice {
  int threads = 1;
  std::vector<int> cpus;  // that they may use, ascending
};
// For each run of neighbouring groups, the numbers of threads for which all these groups are needed: every
// number up to 4, then coarser steps, and as many as there are CPUs.
std::vector<CoreChoice> core_choices(const std::vector<CoreGroup>& groups);

}  // namespace bantam::tools
