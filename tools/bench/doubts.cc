#include "bench/doubts.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/bench_input.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

// From which on a disturbance is worth a word.
constexpr double kOtherCores = 0.1;
constexpr double kOtherSeconds = 0.05;  // the kernel counts in ticks of up to 10 ms
constexpr double kStolen = 0.01;
constexpr double kWaited = 0.02;
constexpr double kSwitchesPerSecond = 50;  // of a thread; where waiting is not told
constexpr double kFrequency = 0.9;         // of the hardware's most
constexpr double kDrift = 0.05;
constexpr double kSpread = 1.25;  // p90 over p50
constexpr size_t kLeastForThirds = 9;

double median(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return quantile(sorted, 0.5);
}

double drift_of(const std::vector<double>& runs) {
  if (runs.size() < kLeastForThirds) return 0;
  std::span<const double> all(runs);
  double first = median(all.first(runs.size() / 3));
  return first > 0 ? median(all.last(runs.size() / 3)) / first - 1 : 0;
}

struct Rules {
  const Measurement& measured;
  const Disturbance found;
  std::vector<Doubt> doubts;

  const Conditions& before() const { return measured.moments.front(); }
  const Conditions& after() const { return measured.moments.back(); }
  void doubt(const char* cause, std::string text) { doubts.push_back({cause, std::move(text)}); }

  void load() {
    if (found.other_cores > kOtherCores && found.other_cores * measured.seconds > kOtherSeconds) {
      doubt("busy",
            format("other processes kept %.2f CPUs busy: stop them and measure again", found.other_cores));
    }
    if (found.stolen > kStolen) {
      doubt(
          "steal",
          format("the hypervisor gave %.1f %% of this machine's time to others: the figures are not those of "
                 "the processor",
                 100 * found.stolen));
    }
    if (found.waited > kWaited) {
      doubt("preempted",
            format("its threads waited %.1f %% of the time for a CPU: others ran there", 100 * found.waited));
    } else if (!after().waited_seconds && static_cast<double>(found.switches) >
                                              kSwitchesPerSecond * measured.seconds * measured.threads) {
      doubt("preempted", format("its threads were interrupted %lld times: others ran on their CPUs",
                                static_cast<long long>(found.switches)));
    }
    if (measured.threads > measured.cpus) {
      doubt("threads", format("%d threads share %d CPU%s: give --threads %d, or auto", measured.threads,
                              measured.cpus, measured.cpus == 1 ? "" : "s", measured.cpus));
    }
  }

  // The slowest that was seen while it ran; before, the CPU may have slept.
  void frequency() {
    const Conditions* slowest = nullptr;
    for (const Conditions& moment : std::span(measured.moments).subspan(1)) {
      if (!moment.khz || !moment.max_khz || *moment.max_khz <= 0) continue;
      if (slowest == nullptr || *moment.khz < *slowest->khz) slowest = &moment;
    }
    auto below = [](int64_t khz, int64_t most) {
      return static_cast<double>(khz) < kFrequency * static_cast<double>(most);
    };
    if (slowest != nullptr && below(*slowest->khz, *slowest->max_khz)) {
      std::string advice = slowest->governor == "performance" || slowest->governor.empty()
                               ? ""
                               : " (governor " + slowest->governor + "; performance keeps it up)";
      doubt("frequency", format("CPU %d ran at %lld of %lld MHz", slowest->cpu,
                                static_cast<long long>(*slowest->khz / 1000),
                                static_cast<long long>(*slowest->max_khz / 1000)) +
                             advice);
    }
    if (after().allowed_khz && after().max_khz && below(*after().allowed_khz, *after().max_khz)) {
      doubt("capped", format("CPU %d is allowed %lld of %lld MHz: see scaling_max_freq", after().cpu,
                             static_cast<long long>(*after().allowed_khz / 1000),
                             static_cast<long long>(*after().max_khz / 1000)));
    }
    if (!after().khz && after().governor == "powersave") {
      doubt("frequency", format("CPU %d has the governor powersave, which may keep it slow", after().cpu));
    }
  }

  void heat() {
    int64_t events = after().throttle_events - before().throttle_events;
    if (events > 0) {
      doubt("throttled",
            format("the processor was too hot %lld times and slowed down: cool it, or measure shorter",
                   static_cast<long long>(events)));
    }
    for (const ThermalZone& zone : after().hot) {
      doubt("hot", zone.name + format(" is at %.0f C and is slowed down from %.0f C on: let it cool",
                                      zone.celsius, zone.limit));
    }
    for (const std::string& device : after().cooling)
      doubt("throttled", device + " slows the processor down: let it cool");
    for (const std::string& complaint : after().firmware)
      doubt("firmware", "the firmware tells of " + complaint);
  }

  void steadiness() {
    if (std::abs(found.drift) > kDrift) {
      doubt(
          "drift",
          format("the last third of the runs was %.0f %% %s than the first: measure for longer (--min-time)",
                 100 * std::abs(found.drift), found.drift > 0 ? "slower" : "faster"));
    }
    if (measured.runs_ms.size() < kLeastForThirds) return;
    std::vector<double> sorted = measured.runs_ms;
    std::sort(sorted.begin(), sorted.end());
    double p50 = quantile(sorted, 0.5), p90 = quantile(sorted, 0.9);
    if (p90 > kSpread * p50) {
      doubt("spread", format("a tenth of the runs took %.2f times the median or more", p90 / p50));
    }
  }
};

}  // namespace

Disturbance disturbance_of(const Measurement& measured) {
  Disturbance found;
  const Conditions &before = measured.moments.front(), &after = measured.moments.back();
  double own = after.own_seconds - before.own_seconds;
  found.switches = after.involuntary_switches - before.involuntary_switches;
  if (measured.seconds > 0 && before.times && after.times) {
    double busy = after.times->busy - before.times->busy, stolen = after.times->stolen - before.times->stolen;
    double total = busy + stolen + after.times->idle - before.times->idle;
    found.other_cores = std::max(0.0, (busy - own) / measured.seconds);
    if (total > 0) found.stolen = std::max(0.0, stolen / total);
  }
  if (measured.seconds > 0 && before.waited_seconds && after.waited_seconds) {
    double waited = *after.waited_seconds - *before.waited_seconds;
    found.waited = std::max(0.0, waited / (measured.seconds * measured.threads));
  }
  found.drift = drift_of(measured.runs_ms);
  return found;
}

std::vector<Doubt> doubts_about(const Measurement& measured) {
  Rules rules{measured, disturbance_of(measured), {}};
  rules.load();
  rules.frequency();
  rules.heat();
  rules.steadiness();
  return std::move(rules.doubts);
}

}  // namespace bantam::tools
