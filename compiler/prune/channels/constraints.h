// The rules of each op: which indices of its inputs, weights and output stand or fall together.
#pragma once

#include "prune/channels/atoms.h"

namespace bantam::compiler {

// `graph` is NHWC. Graph inputs and outputs stay as they are.
void add_constraints(const Graph& graph, Atoms& atoms);

}  // namespace bantam::compiler
