// Float weights and biases to int8 and int32.
#pragma once

#include <span>

#include "ir/graph.h"

namespace bantam::compiler {

struct QuantizedWeights {
  Tensor weights;             // int8, the shape of the float weights
  std::vector<float> scales;  // one per output channel (axis 0)
  Tensor bias;                // int32 [output channels], scale = input scale * weight scale
};

// Symmetric, -127..127. A channel's scale is the smallest that covers its weights, keeps its bias within
// int32 and its requantization factor input_scale * scale / output_scale within the range the kernels accept.
// `bias`: empty or one per output channel.
QuantizedWeights quantize_weights(const Tensor& weights, std::span<const float> bias, float input_scale,
                                  float output_scale);

// What rounding the weights does to the mean of every output channel: sum over taps and inputs of (w -
// rounded w) * mean input, to be added to the bias. `input_means`: one per input channel; weights [O,
// taps..., inputs per group]. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias
// Correction (2019).
std::vector<float> rounding_bias(const Tensor& weights, const QuantizedWeights& quantized,
                                 std::span<const double> input_means, int64_t groups);

}  // namespace bantam::compiler
