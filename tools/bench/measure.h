// All that `bantam bench` finds out about a plan on this machine.
#pragma once

#include <string>
#include <vector>

#include "bench/auto_threads.h"
#include "bench/doubts.h"
#include "bench/runs.h"

namespace bantam::tools {

struct BenchOptions {
  std::string plan;
  int threads = 1;        // 0: as many as are best
  double min_time = 1.0;  // seconds
  bool profile = false;
  std::string cache;  // a folder for packed weights, or ""
};

struct BenchResult {
  CoreChoice choice;
  std::vector<TriedChoice> tried;  // empty unless the best was looked for
  bool evicted = false;            // whether the plan could be put out of memory before the cold load
  LoadTime cold_load;
  LoadTime load;  // with the plan in memory
  Latency warm;
  Latency cold;             // runs with other things in the caches
  std::vector<OpTime> ops;  // empty unless a profile was asked for
  bantam_memory memory = {};
  uint64_t peak_rss_bytes = 0;
  uint64_t anonymous_bytes = 0;  // no file's, after the first run
  Disturbance disturbance;       // of the warm runs
  std::vector<Doubt> doubts;
};

BenchResult measure(const BenchOptions& options, const std::string& root = "");

}  // namespace bantam::tools
