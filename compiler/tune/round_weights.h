// Weights rounded so that each layer's outputs, rather than the weights, come out close: one after another,
// with what rounding a weight does to the outputs made up for by those not rounded yet. Frantar et al.,
// "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers" (2022).
#pragma once

#include "passes/pass.h"
#include "quantize/assign.h"
#include "quantize/convert.h"

namespace bantam::compiler {

// For the int8 convolutions and fully connected layers of `graph`, which is still fp32. A layer keeps the
// nearest weights where the others are no better on samples that were not used in rounding.
Rounding round_weights(const Graph& graph, const Assignment& assignment, const PassContext& context);

}  // namespace bantam::compiler
