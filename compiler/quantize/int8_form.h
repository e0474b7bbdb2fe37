// The int8 forms of what stands in float in the graph.
#pragma once

#include <string>

#include "import/node_importer.h"
#include "ir/graph.h"

namespace bantam::compiler {

int8_t quantized(float x, const Quantization& q);  // NaN gives the zero point
float dequantized(int q, const Quantization& quantization);

// `tensor` (float32) as an int8 constant of the graph in the scale `q`.
ValueId add_quantized_constant(Graph& graph, std::string name, const Tensor& tensor, const Quantization& q);

// Sets the int8 limits of the node's clamp, where it has one, for an output of scale `q`.
void set_int8_clamp(Node& node, const Quantization& q);

// The 256 results of a Unary: computed by the float op itself, run on the values that the input can have.
Tensor lookup_table(const Node& node, const Quantization& in, const Quantization& out,
                    const Evaluator& evaluate);

// The exponentials of an int8 Softmax (contract in the kernel): round(exp(-d * scale) * 2^23).
Tensor softmax_table(float scale);

}  // namespace bantam::compiler
