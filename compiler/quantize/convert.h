// Rewrites the graph to the precision that was assigned: int8 weights and biases, tables for functions of one
// element, Quantize, Dequantize and Requantize where precisions or scales meet.
#pragma once

#include "ir/graph.h"
#include "passes/pass.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {

void convert_to_int8(Graph& graph, const Assignment& assignment, const Statistics& statistics,
                     const PassContext& context);

}  // namespace bantam::compiler
