// Why an int8 plan computes floats at all.
#pragma once

#include "ir/graph.h"

namespace bantam::compiler {

// Adds a note to every float op that reads int8 data and does not say yet why it stays float.
void note_float_ops(Graph& graph);

}  // namespace bantam::compiler
