// Weights and biases that a model already has as integers, in the form of the int8 kernels.
#pragma once

#include <optional>
#include <string>

#include "ir/graph.h"
#include "quantize/weights.h"

namespace bantam::compiler {

struct AdoptedWeights {
  QuantizedWeights form;
  int64_t clipped = 0;  // weights of -128 that became -127
};

// `weights`: float32 [O, ...], multiples of its steps; `bias`: float32 [O] or null. The model's scales are
// kept. Empty, and `reason` says why, when the kernels cannot hold them.
//
// Kernels for NEON add two products in an int16, which holds one pair of (-128, -128) but not two: a channel
// may have one weight of -128; where it has more, they become -127.
std::optional<AdoptedWeights> adopt_weights(const Tensor& weights, const Tensor* bias, float input_scale,
                                            float output_scale, std::string& reason);

}  // namespace bantam::compiler
