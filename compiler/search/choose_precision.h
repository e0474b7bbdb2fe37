// Which ops of an int8 network stay float: those that are faster so, and those that the accuracy needs.
#pragma once

#include "search/op_costs.h"

namespace bantam::compiler {

// Empty: none. Adds notes to `graph` why a node stays float, and says in the context what was measured, and
// whether float means float16. Throws CompileError when CompileOptions::max_drop cannot be met.
KeptFloat choose_precision(Graph& graph, const Quantizer& quantize, PassContext& context);

}  // namespace bantam::compiler
