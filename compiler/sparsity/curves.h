// What it costs each layer to lose weights.
#pragma once

#include "prune/data/samples.h"
#include "sparsity/allocate.h"
#include "sparsity/layers.h"

namespace bantam::compiler {

// The share of the weights' energy that goes with the smallest.
std::vector<LossCurve> magnitude_curves(const Graph& graph, const std::vector<SparseLayer>& layers);

// By second order: the error of the network's outputs with zeros in one layer alone, on samples that it was
// not solved on; between the counts measured, in proportion to the error of the layer's own outputs.
std::vector<LossCurve> second_order_curves(const Graph& graph, const std::vector<SparseLayer>& layers,
                                           const CalibrationSamples& samples, const PassContext& context);

}  // namespace bantam::compiler
