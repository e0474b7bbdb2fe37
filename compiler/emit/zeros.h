// Weights that are stored without their zeros.
#pragma once

#include <cstddef>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

// By value: a constant that nothing reads but layers, as their weights. Only these may lack their zeros.
std::vector<bool> weights_of_layers(const Graph& graph);

// The constant as zero_mask.h says; empty where that saves less than a sixteenth, or has another dtype than
// weights have.
std::vector<std::byte> without_zeros(const Tensor& tensor);

}  // namespace bantam::compiler
