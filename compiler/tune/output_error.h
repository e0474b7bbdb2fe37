// How far a network's outputs are from those of another one, on calibration samples that are kept out of
// fitting.
#pragma once

#include <functional>
#include <vector>

#include "prune/data/samples.h"

namespace bantam::compiler {

// The values whose error counts, one per float output: the outputs; before a softmax, which hides what it
// saturates.
std::vector<ValueId> compared_values(const Graph& graph);

using Outputs = std::vector<std::vector<std::vector<float>>>;  // by value and sample

// What `run` shows its observer of `values` on so many samples, in an even choice of elements where they are
// large.
Outputs outputs_of(const std::vector<ValueId>& values, size_t samples,
                   const std::function<void(const Observer&)>& run);

// Mean over the outputs of the squared error relative to the output's variance.
double relative_error(const Outputs& expected, const Outputs& actual);

}  // namespace bantam::compiler
