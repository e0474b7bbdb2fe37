// The energy of a run, where the machine has a counter that may be read.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bantam::tools {

// Counters of the processor's packages (RAPL) or, where there are none, of the board (hwmon). They count
// everything that happens there, this program or not. `root`: see bench/sysfs.h.
class EnergyCounter {
 public:
  // Nothing where no counter can be read; reading RAPL's mostly takes the rights of the administrator.
  static std::optional<EnergyCounter> find(const std::string& root = "");

  // Adds what went since the last call, or since find(), in microjoules.
  double advance();
  const std::string& name() const { return name_; }  // "RAPL", "hwmon"

 private:
  struct Source {
    std::string path;
    int64_t last = 0;
    int64_t range = 0;  // where it starts again from 0; 0: it does not
  };
  explicit EnergyCounter(std::string name) : name_(std::move(name)) {}
  void add(const std::string& path, int64_t range);

  std::string name_;
  std::vector<Source> sources_;
};

// Millijoules of one run of a plan with one thread, from many. Nothing without a counter.
std::optional<double> energy_of_plan(std::span<const std::byte> plan, EnergyCounter& counter);

}  // namespace bantam::tools
