// Puts the approximations of a plan into a float32 graph, each behind a switch.
#pragma once

#include <vector>

#include "bantam/compiler/stages.h"
#include "ir/graph.h"
#include "stages/plan_reader.h"

namespace bantam::compiler {

// `graph` is float32 and NHWC, as the quantize pass gets it. Adds the input "switches" unless there are none.
std::vector<Switch> add_switches(Graph& graph, const PlanReader& plan);

}  // namespace bantam::compiler
