#include "bench/measure.h"

#include <sched.h>

#include <algorithm>
#include <chrono>

#include "bench/cold.h"

namespace bantam::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kParts = 3;  // of the measurement, with a look at the machine after each
constexpr size_t kMostColdRuns = 50;
constexpr size_t kFewestColdRuns = 5;

void choose_threads(const BenchOptions& options, const std::string& root, BenchResult& result) {
  result.choice = {options.threads, allowed_cpus()};
  if (options.threads != 0) return;
  std::vector<CoreChoice> choices = core_choices(core_groups(root, result.choice.cpus));
  result.tried = try_choices(options.plan, choices, std::max(options.min_time, 0.1));
  result.choice = best_choice(result.tried).choice;
  pin_to(result.choice.cpus);
}

Conditions conditions_here(const std::string& root) {
  return read_conditions(root, std::max(::sched_getcpu(), 0));
}

Measurement measure_warm(ReadyPlan& plan, const BenchOptions& options, const CoreChoice& choice,
                         const std::string& root) {
  Measurement measured;
  measured.threads = choice.threads;
  measured.cpus = static_cast<int>(choice.cpus.size());
  measured.moments.push_back(conditions_here(root));
  Clock::time_point start = Clock::now();
  for (int part = 0; part < kParts; ++part) {
    std::vector<double> runs =
        time_runs(plan.session, options.min_time / kParts, kFewestRuns / kParts + 1, options.plan);
    measured.runs_ms.insert(measured.runs_ms.end(), runs.begin(), runs.end());
    measured.moments.push_back(conditions_here(root));
  }
  measured.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return measured;
}

Latency measure_cold(ReadyPlan& plan, const BenchOptions& options, int threads, const std::string& root) {
  CacheFlusher flusher(root, threads);
  std::vector<double> runs;
  Clock::time_point start = Clock::now();
  while (runs.size() < kMostColdRuns) {
    std::chrono::duration<double> spent = Clock::now() - start;
    if (runs.size() >= kFewestColdRuns && spent.count() > options.min_time / 2) break;
    flusher.flush();
    runs.push_back(time_runs(plan.session, 0, 1, options.plan).front());
  }
  return latency_of(std::move(runs));
}

}  // namespace

BenchResult measure(const BenchOptions& options, const std::string& root) {
  BenchResult result;
  choose_threads(options, root, result);
  int threads = result.choice.threads;
  result.evicted = evict(options.plan);
  result.cold_load = get_ready(options.plan, options.cache, threads).time;
  ReadyPlan plan = get_ready(options.plan, options.cache, threads);
  result.load = plan.time;
  result.anonymous_bytes = plan.anonymous_bytes;
  warm_up(plan.session, std::min(0.2, options.min_time / 5), options.plan);
  Measurement measured = measure_warm(plan, options, result.choice, root);
  if (options.profile) result.ops = time_ops(plan, options.min_time, options.plan);
  result.memory = plan.session.memory();
  result.peak_rss_bytes = peak_memory_bytes();
  result.cold = measure_cold(plan, options, threads, root);
  result.warm = latency_of(measured.runs_ms);
  result.disturbance = disturbance_of(measured);
  result.doubts = doubts_about(measured);
  return result;
}

}  // namespace bantam::tools
