// Rewrites the graph to the precision that was assigned: int8 weights and biases, tables for functions of one
// element, Quantize, Dequantize and Requantize where precisions or scales meet.
#pragma once

#include "ir/graph.h"
#include "passes/pass.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {

// The int8 weights of a layer, and the scales that they are for.
struct RoundedLayer {
  std::vector<float> scales;
  Tensor weights;
};
using Rounding = std::vector<RoundedLayer>;  // by node; without scales, or empty: each weight to the nearest

void convert_to_int8(Graph& graph, const Assignment& assignment, const Statistics& statistics,
                     const Rounding& rounding, const PassContext& context);

}  // namespace bantam::compiler
