#include "bench/conditions.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "bench/sysfs.h"

namespace bantam::tools {
namespace {

std::optional<CpuTimes> cpu_times(const std::string& root) {
  std::optional<std::string> text = read_text_file(root + "/proc/stat");
  unsigned long long user = 0, nice = 0, system = 0, idle = 0, io = 0, irq = 0, soft = 0, stolen = 0;
  if (!text || std::sscanf(text->c_str(), "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice,
                           &system, &idle, &io, &irq, &soft, &stolen) < 7) {
    return std::nullopt;
  }
  auto tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
  auto seconds = [&](unsigned long long ticks) { return static_cast<double>(ticks) / tick; };
  return CpuTimes{seconds(user + nice + system + irq + soft), seconds(idle + io), seconds(stolen)};
}

// From schedstat of every thread: nanoseconds on a CPU, nanoseconds waiting for one, times on one.
std::optional<double> waited_seconds(const std::string& root) {
  std::optional<double> sum;
  for (const std::string& thread : numbered_entries(root + "/proc/self/task", "")) {
    std::optional<std::string> text = read_text_file(thread + "/schedstat");
    unsigned long long ran = 0, waited = 0;
    if (!text || std::sscanf(text->c_str(), "%llu %llu", &ran, &waited) != 2) continue;
    sum = sum.value_or(0) + static_cast<double>(waited) * 1e-9;
  }
  return sum;
}

void read_frequency(const std::string& root, Conditions& now) {
  std::string folder = root + "/sys/devices/system/cpu/cpu" + std::to_string(now.cpu) + "/cpufreq/";
  now.khz = read_number(folder + "scaling_cur_freq");
  now.max_khz = read_number(folder + "cpuinfo_max_freq");
  now.allowed_khz = read_number(folder + "scaling_max_freq");
  now.governor = read_word(folder + "scaling_governor").value_or("");
}

int64_t throttle_events(const std::string& root) {
  int64_t events = 0;
  for (const std::string& cpu : numbered_entries(root + "/sys/devices/system/cpu", "cpu")) {
    for (const char* counter : {"core_throttle_count", "package_throttle_count"}) {
      events += read_number(cpu + "/thermal_throttle/" + counter).value_or(0);
    }
  }
  return events;
}

// The lowest trip point of a zone at which the kernel acts on the processor.
std::optional<int64_t> throttling_trip(const std::string& zone) {
  std::optional<int64_t> lowest;
  for (int i = 0;; ++i) {
    std::string trip = zone + "/trip_point_" + std::to_string(i);
    std::optional<std::string> type = read_word(trip + "_type");
    if (!type) return lowest;
    std::optional<int64_t> limit = read_number(trip + "_temp");
    if (*type != "passive" || !limit || *limit <= 0) continue;
    if (!lowest || *limit < *lowest) lowest = limit;
  }
}

void read_heat(const std::string& root, Conditions& now) {
  std::string folder = root + "/sys/class/thermal";
  for (const std::string& zone : numbered_entries(folder, "thermal_zone")) {
    std::optional<int64_t> temperature = read_number(zone + "/temp"), limit = throttling_trip(zone);
    if (!temperature || !limit || *temperature < *limit) continue;
    now.hot.push_back({read_word(zone + "/type").value_or("a thermal zone"),
                       static_cast<double>(*temperature) / 1000, static_cast<double>(*limit) / 1000});
  }
  for (const std::string& device : numbered_entries(folder, "cooling_device")) {
    std::string type = read_word(device + "/type").value_or("");
    bool slows = type == "Processor" || type.find("cpufreq") != std::string::npos ||
                 type.find("cpu-idle") != std::string::npos;
    if (slows && read_number(device + "/cur_state").value_or(0) > 0) now.cooling.push_back(type);
  }
}

// Bits of get_throttled as the Raspberry Pi's documentation lists them; the lower ones tell of this moment.
void read_firmware(const std::string& root, Conditions& now) {
  static constexpr const char* kComplaints[] = {"under-voltage", "a capped frequency", "throttling",
                                                "the soft temperature limit"};
  std::string path = root + "/sys/devices/platform/soc/soc:firmware/get_throttled";
  std::optional<std::string> word = read_word(path);
  unsigned long bits = word ? std::strtoul(word->c_str(), nullptr, 16) : 0;
  for (size_t i = 0; i < std::size(kComplaints); ++i) {
    if ((bits >> i & 1) != 0) now.firmware.emplace_back(kComplaints[i]);
  }
}

}  // namespace

Conditions read_conditions(const std::string& root, int cpu) {
  Conditions now;
  now.cpu = cpu;
  now.times = cpu_times(root);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  now.own_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  now.involuntary_switches = usage.ru_nivcsw;
  now.waited_seconds = waited_seconds(root);
  read_frequency(root, now);
  now.throttle_events = throttle_events(root);
  read_heat(root, now);
  read_firmware(root, now);
  return now;
}

}  // namespace bantam::tools
