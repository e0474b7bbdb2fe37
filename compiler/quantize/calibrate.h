// Runs the fp32 network over the calibration samples and records what every float32 value looks like. Memory does not
// depend on the number of samples; the samples are spread over the cores.
#pragma once

#include <vector>

#include "passes/pass.h"
#include "quantize/histogram.h"

namespace bantam::compiler {

// One histogram per value of the graph (empty for values that are not float32 or not computed).
// Throws CompileError: no samples, a sample of the wrong type or shape, NaN or infinity in samples or activations.
std::vector<Histogram> calibrate(const Graph& graph, const PassContext& context);

}  // namespace bantam::compiler
