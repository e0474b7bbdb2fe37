// The shape rules of all ops; each stands in its op's file. See OpDef::infer.
#pragma once

#include "ir/graph.h"

namespace bantam::compiler {

TensorType infer_conv2d(const Graph& graph, const Node& node);
TensorType infer_conv_transpose2d(const Graph& graph, const Node& node);
TensorType infer_fully_connected(const Graph& graph, const Node& node);
TensorType infer_narrow_fully_connected(const Graph& graph, const Node& node);
TensorType infer_mat_mul(const Graph& graph, const Node& node);
TensorType infer_pool2d(const Graph& graph, const Node& node);
TensorType infer_reduce(const Graph& graph, const Node& node);
TensorType infer_arg_max(const Graph& graph, const Node& node);
TensorType infer_unary(const Graph& graph, const Node& node);
TensorType infer_binary(const Graph& graph, const Node& node);
TensorType infer_where(const Graph& graph, const Node& node);
TensorType infer_cast(const Graph& graph, const Node& node);
TensorType infer_softmax(const Graph& graph, const Node& node);
TensorType infer_layer_norm(const Graph& graph, const Node& node);
TensorType infer_instance_norm(const Graph& graph, const Node& node);
TensorType infer_concat(const Graph& graph, const Node& node);
TensorType infer_slice(const Graph& graph, const Node& node);
TensorType infer_pad(const Graph& graph, const Node& node);
TensorType infer_transpose(const Graph& graph, const Node& node);
TensorType infer_reshape(const Graph& graph, const Node& node);
TensorType infer_tile(const Graph& graph, const Node& node);
TensorType infer_expand(const Graph& graph, const Node& node);
TensorType infer_gather(const Graph& graph, const Node& node);
TensorType infer_resize(const Graph& graph, const Node& node);
TensorType infer_lookup(const Graph& graph, const Node& node);
TensorType infer_quantize(const Graph& graph, const Node& node);
TensorType infer_dequantize(const Graph& graph, const Node& node);
TensorType infer_requantize(const Graph& graph, const Node& node);
TensorType infer_normalize_image(const Graph& graph, const Node& node);
TensorType infer_copy(const Graph& graph, const Node& node);

}  // namespace bantam::compiler
