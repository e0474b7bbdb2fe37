// What a run costs in energy, by a model: operations and bytes moved.
#pragma once

#include "ir/graph.h"

namespace bantam::compiler {

// Millijoules, for comparing networks rather than for predicting a battery. Multiplications and additions as
// Horowitz gives them for 45 nm ("Computing's energy problem", ISSCC 2014, figure 1.1.9: int8 0.3 pJ, float16
// 1.5 pJ, float32 4.6 pJ together); every constant comes from DRAM once (160 pJ a byte), every activation
// goes through a 32 KB cache when written and when read (2.5 pJ a byte). Instructions, leakage and the rest
// of the system are not in it.
double energy_of_run(const Graph& graph, bool half);

}  // namespace bantam::compiler
