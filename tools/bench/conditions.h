// Under which conditions this process runs: frequency, heat, other load.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bantam::tools {

// Seconds since the machine's start, summed over its CPUs.
struct CpuTimes {
  double busy = 0;
  double idle = 0;
  double stolen = 0;  // given to other machines by the hypervisor
};

struct ThermalZone {
  std::string name;
  double celsius = 0;
  double limit = 0;  // from which the kernel slows the processor down
};

// One moment. What the machine does not tell is empty.
struct Conditions {
  std::optional<CpuTimes> times;
  double own_seconds = 0;                // CPU time of this process
  int64_t involuntary_switches = 0;      // of its threads
  std::optional<double> waited_seconds;  // that its threads waited for a CPU
  int cpu = 0;                           // on which the frequencies are those
  std::optional<int64_t> khz;
  std::optional<int64_t> max_khz;      // of the hardware
  std::optional<int64_t> allowed_khz;  // by settings
  std::string governor;
  int64_t throttle_events = 0;        // since the machine's start
  std::vector<ThermalZone> hot;       // at their limit
  std::vector<std::string> cooling;   // devices that slow the processor down at this moment
  std::vector<std::string> firmware;  // what a Raspberry Pi's firmware complains of
};

Conditions read_conditions(const std::string& root, int cpu);

}  // namespace bantam::tools
