// Cross-layer equalization: channels of a value that shares one int8 scale get positive factors, which the
// layers that read them divide out, so that none is rounded more coarsely than the others. The fp32 network
// computes the same on the calibration data. After Nagel et al., "Data-Free Quantization Through Weight
// Equalization and Bias Correction" (2019), with factors chosen by the rounding error they leave.
#pragma once

#include "passes/pass.h"

namespace bantam::compiler {

// `graph`: fused, NHWC. Channels that reach an upper limit (ReLU6) on the calibration data keep their factor
// of 1; the others are never scaled beyond it. `which`: the samples to look at. False: nothing was worth
// changing.
bool equalize(Graph& graph, const PassContext& context, const std::vector<int>& which);

}  // namespace bantam::compiler
