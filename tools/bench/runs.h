// A plan made ready to run on made-up inputs, and the times of its runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/bench_input.h"
#include "engine/plan.h"

namespace bantam::tools {

constexpr size_t kFewestRuns = 10;  // of which quantiles are told

struct Latency {  // milliseconds
  double min = 0, p50 = 0, p90 = 0, p99 = 0, mean = 0;
  size_t runs = 0;
};
Latency latency_of(std::vector<double> runs_ms);  // at least one

struct LoadTime {
  double ready_ms = 0;      // to open the plan and make a session
  double total_ms = 0;      // from opening the plan to the first result
  double first_run_ms = 0;  // of that, the first run
};

struct ReadyPlan {
  Model model;
  Session session;
  BenchInputs inputs;
  LoadTime time;
  uint64_t anonymous_bytes = 0;  // of the process, after the first run
};
// `cache` as open_plan takes it.
ReadyPlan get_ready(const std::string& path, const std::string& cache, int threads);

// Milliseconds of each run, in their order, for `seconds` and at least `fewest` times.
std::vector<double> time_runs(Session& session, double seconds, size_t fewest, const std::string& where);
void warm_up(Session& session, double seconds, const std::string& where);

struct OpTime {
  std::string name, code, kind;  // as in bantam_op_info
  const char* dtype = "";
  uint64_t macs = 0;
  double ms = 0;  // median
};
std::vector<OpTime> time_ops(ReadyPlan& plan, double seconds,
                             const std::string& where);  // in execution order

}  // namespace bantam::tools
