// How far a network's outputs are from those of another one, on calibration samples that are kept out of
// fitting.
#pragma once

#include <vector>

#include "prune/samples.h"

namespace bantam::compiler {

// The values whose error counts, one per float output: the outputs; before a softmax, which hides what it
// saturates.
std::vector<ValueId> compared_values(const Graph& graph);

using Outputs = std::vector<std::vector<std::vector<float>>>;  // by value and sample

// `values` on the samples in `which`, in an even choice of elements where they are large.
Outputs outputs_of(const Graph& graph, const std::vector<ValueId>& values, const CalibrationSamples& samples,
                   const std::vector<int>& which);

// Mean over the outputs of the squared error relative to the output's variance.
double relative_error(const Outputs& expected, const Outputs& actual);

}  // namespace bantam::compiler
