// Whether measured times say something about the plan, or about what else happened on the machine.
#pragma once

#include <string>
#include <vector>

#include "bench/conditions.h"

namespace bantam::tools {

struct Measurement {
  std::vector<double> runs_ms;      // in the order of the runs
  double seconds = 0;               // from the first to the last of `moments`
  std::vector<Conditions> moments;  // before the runs, then while they went on; the last one after them
  int threads = 1;
  int cpus = 1;  // on which they may run
};

// Between the first and the last moment.
struct Disturbance {
  double other_cores = 0;  // CPUs that other processes kept busy, on average
  double stolen = 0;       // share of the machine's CPU time
  double waited = 0;       // share of the threads' time that they waited for a CPU
  int64_t switches = 0;    // involuntary ones
  double drift = 0;        // median of the last third of the runs over that of the first, less one
};
Disturbance disturbance_of(const Measurement& measured);

struct Doubt {
  const char* cause;  // one word, for programs
  std::string text;   // for people: what, and what to do
};
// Empty when nothing speaks against the figures.
std::vector<Doubt> doubts_about(const Measurement& measured);

}  // namespace bantam::tools
