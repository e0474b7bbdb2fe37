// Golden hashes: what the ops of the plan compute on the golden input (golden_input.h), so that a board can
// prove that it computes the same.
#pragma once

#include "bantam/compiler/compiler.h"
#include "ir/graph.h"

namespace bantam::compiler {

// `plan` is `graph` as written by write_plan. Ops whose result may differ between machines (floating point
// arithmetic, and all that depends on it) get 0.
GoldenHashes compute_golden(const Graph& graph, const std::vector<std::byte>& plan,
                            const PlanRunnerFactory& runner);

}  // namespace bantam::compiler
