#include "bench/cores.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bench/sysfs.h"
#include "io/failure.h"

namespace bantam::tools {
namespace {

// Cores of a kind whose fastest clock differs a little, as favoured cores do, are one group.
constexpr double kSameSpeed = 0.9;

int64_t speed_of(const std::string& root, int cpu) {
  std::string folder = root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu);
  std::optional<int64_t> speed = read_number(folder + "/cpu_capacity");
  if (!speed) speed = read_number(folder + "/cpufreq/cpuinfo_max_freq");
  return std::max<int64_t>(speed.value_or(0), 0);
}

bool worth_trying(size_t threads, size_t cpus) {
  if (threads <= 4 || threads == cpus) return true;
  size_t step = 2;  // 6 8 12 16 24 32 ...
  while (step * 4 <= threads) step *= 2;
  return threads % step == 0;
}

}  // namespace

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

void pin_to(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu : cpus) CPU_SET(static_cast<size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw Failure("CPUs " + cpu_list_text(cpus), std::string("cannot be chosen: ") + std::strerror(errno));
  }
}

std::vector<CoreGroup> core_groups(const std::string& root, std::vector<int> cpus) {
  auto faster = [&](int a, int b) { return speed_of(root, a) > speed_of(root, b); };
  std::stable_sort(cpus.begin(), cpus.end(), faster);
  std::vector<CoreGroup> groups;
  for (int cpu : cpus) {
    int64_t speed = speed_of(root, cpu);
    if (groups.empty() ||
        static_cast<double>(speed) < kSameSpeed * static_cast<double>(groups.back().speed)) {
      groups.push_back({speed, {}});
    }
    groups.back().cpus.push_back(cpu);
  }
  for (CoreGroup& group : groups) std::sort(group.cpus.begin(), group.cpus.end());
  return groups;
}

std::vector<CoreChoice> core_choices(const std::vector<CoreGroup>& groups) {
  std::vector<CoreChoice> choices;
  for (size_t first = 0; first < groups.size(); ++first) {
    std::vector<int> cpus;
    for (size_t last = first; last < groups.size(); ++last) {
      size_t before = cpus.size();
      cpus.insert(cpus.end(), groups[last].cpus.begin(), groups[last].cpus.end());
      std::sort(cpus.begin(), cpus.end());
      for (size_t threads = before + 1; threads <= cpus.size(); ++threads) {
        if (worth_trying(threads, cpus.size())) choices.push_back({static_cast<int>(threads), cpus});
      }
    }
  }
  return choices;
}

}  // namespace bantam::tools
