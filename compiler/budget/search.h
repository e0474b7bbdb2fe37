// From budgets to a network.
#pragma once

#include "passes/pass.h"

namespace bantam::compiler {

// Searches over precision (per op where accuracy needs it) and pruning for the network that CompileOptions::
// budgets ask for, and leaves it in `graph`, behind the whole pipeline. `graph`: as it is imported. The
// context's options have calibration samples and a timer. When the budgets contradict each other it chooses
// none, and `graph` is lost.
SearchReport meet_budgets(Graph& graph, PassContext& context);

}  // namespace bantam::compiler
