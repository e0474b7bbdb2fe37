// The number of threads and the CPUs with which a plan runs fastest here.
#pragma once

#include <string>
#include <vector>

#include "bench/cores.h"

namespace bantam::tools {

struct TriedChoice {
  CoreChoice choice;
  double p50_ms = 0;
};

// The fastest, or one nearly as fast that takes fewer threads. `tried` is not empty.
const TriedChoice& best_choice(const std::vector<TriedChoice>& tried);

// Runs the plan with every choice, for `seconds` in all at most, unless that is not enough for some runs
// each.
std::vector<TriedChoice> try_choices(const std::string& plan, const std::vector<CoreChoice>& choices,
                                     double seconds);

}  // namespace bantam::tools
