// From budgets to a network.
#pragma once

#include "passes/pass.h"

namespace bantam::compiler {

// Searches over precision (per op where accuracy needs it), pruning and, where CompileOptions allow it, the
// input's size for the network that CompileOptions::budgets ask for, and leaves it in `graph`, behind the
// whole pipeline. `graph`: as it is imported from the context's file. The context's options have calibration
// samples and a timer. When the budgets contradict each other it chooses none, and `graph` is lost.
SearchReport meet_budgets(Graph& graph, PassContext& context);

}  // namespace bantam::compiler
