#include "bench/runs.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace bantam::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostProfiledRuns = 1000;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

Latency latency_of(std::vector<double> runs_ms) {
  std::sort(runs_ms.begin(), runs_ms.end());
  double sum = std::accumulate(runs_ms.begin(), runs_ms.end(), 0.0);
  return {runs_ms.front(),
          quantile(runs_ms, 0.5),
          quantile(runs_ms, 0.9),
          quantile(runs_ms, 0.99),
          sum / static_cast<double>(runs_ms.size()),
          runs_ms.size()};
}

ReadyPlan get_ready(const std::string& path, const std::string& cache, int threads) {
  Clock::time_point start = Clock::now();
  Model model = open_plan(path, cache);
  Session session = open_session(model, threads, path);
  double ready_ms = ms_since(start);
  BenchInputs inputs(model, session, path);
  Clock::time_point first = Clock::now();
  require(session.run(), path);
  LoadTime time{ready_ms, ms_since(start), ms_since(first)};
  return {std::move(model), std::move(session), std::move(inputs), time, anonymous_memory_bytes()};
}

std::vector<double> time_runs(Session& session, double seconds, size_t fewest, const std::string& where) {
  std::vector<double> times;
  Clock::time_point start = Clock::now();
  while (times.size() < fewest || ms_since(start) < seconds * 1000) {
    Clock::time_point begin = Clock::now();
    Outcome outcome = session.run();
    times.push_back(ms_since(begin));
    require(outcome, where);
  }
  return times;
}

void warm_up(Session& session, double seconds, const std::string& where) {
  time_runs(session, seconds, 2, where);
}

std::vector<OpTime> time_ops(ReadyPlan& plan, double seconds, const std::string& where) {
  auto count = static_cast<size_t>(plan.model.info().op_count);
  std::vector<std::vector<double>> times(count);
  auto hook = [&](const bantam_op_event& event) {
    std::vector<double>& ms = times[static_cast<size_t>(event.op)];
    if (ms.size() < kMostProfiledRuns) ms.push_back(static_cast<double>(event.elapsed_ns) * 1e-6);
  };
  require(plan.session.set_hook(&hook), where);
  time_runs(plan.session, seconds, kFewestRuns, where);
  require(plan.session.set_hook(static_cast<decltype(hook)*>(nullptr)), where);
  std::vector<OpTime> ops;
  for (size_t i = 0; i < count; ++i) {
    bantam_op_info op = plan.model.op(static_cast<int32_t>(i));
    double median = times[i].empty() ? 0 : latency_of(times[i]).p50;
    ops.push_back({op.name, op.code, op.kind, bantam_dtype_name(op.dtype), op.macs, median});
  }
  return ops;
}

}  // namespace bantam::tools
