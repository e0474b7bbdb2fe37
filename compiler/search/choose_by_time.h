// Which ops stay float because their int8 form is slower.
#pragma once

#include "search/op_costs.h"

namespace bantam::compiler {

// Ops, or runs of them, that are clearly faster in float with the conversions counted in. Checked by the
// options' op_timer at the end: empty when the network as a whole does not gain.
KeptFloat choose_by_time(const Graph& graph, const OpCosts& costs, const Quantizer& quantize,
                         const PassContext& context);

// Throws CompileError when the finished int8 `plan`, whose ops are the nodes of `graph`, is clearly slower
// than the fp32 plan of `in_float`, the network before it was quantized; says which ops are at fault.
void refuse_slower(const std::vector<std::byte>& plan, const Graph& graph, const Graph& in_float,
                   const PassContext& context);

}  // namespace bantam::compiler
