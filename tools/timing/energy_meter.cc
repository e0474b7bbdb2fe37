#include "timing/energy_meter.h"

#include <algorithm>
#include <chrono>

#include "bench/sysfs.h"
#include "engine/bench_input.h"
#include "engine/plan.h"

namespace bantam::tools {
namespace {

constexpr std::chrono::milliseconds kDuration(500);  // RAPL counts every millisecond

}  // namespace

void EnergyCounter::add(const std::string& path, int64_t range) {
  const std::optional<int64_t> now = read_number(path);
  if (now) sources_.push_back({path, *now, range});
}

std::optional<EnergyCounter> EnergyCounter::find(const std::string& root) {
  EnergyCounter rapl("RAPL");
  for (const std::string& domain : numbered_entries(root + "/sys/class/powercap", "intel-rapl:"))
    rapl.add(domain + "/energy_uj", read_number(domain + "/max_energy_range_uj").value_or(0));
  if (!rapl.sources_.empty()) return rapl;
  EnergyCounter board("hwmon");
  for (const std::string& device : numbered_entries(root + "/sys/class/hwmon", "hwmon"))
    board.add(device + "/energy1_input", 0);
  if (!board.sources_.empty()) return board;
  return std::nullopt;
}

double EnergyCounter::advance() {
  double sum = 0;
  for (Source& source : sources_) {
    const int64_t now = read_number(source.path).value_or(source.last);
    const int64_t went = now - source.last;
    sum += static_cast<double>(went >= 0 ? went : std::max<int64_t>(went + source.range, 0));
    source.last = now;
  }
  return sum;
}

std::optional<double> energy_of_plan(std::span<const std::byte> plan, EnergyCounter& counter) {
  const std::string where = "measuring energy";
  Expected<LoadedModel> loaded = load_plan(plan);
  require(loaded.outcome(), where);
  Session session = open_session(loaded->model, 1, where);
  const BenchInputs inputs(loaded->model, session, where);
  require(session.run(), where);
  counter.advance();
  const auto end = std::chrono::steady_clock::now() + kDuration;
  int runs = 0;
  for (; runs == 0 || std::chrono::steady_clock::now() < end; ++runs) require(session.run(), where);
  const double microjoules = counter.advance();
  if (microjoules <= 0) return std::nullopt;
  return microjoules * 1e-3 / runs;
}

}  // namespace bantam::tools
