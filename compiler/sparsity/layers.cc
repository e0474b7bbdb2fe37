#include "sparsity/layers.h"

namespace bantam::compiler {

std::vector<SparseLayer> find_sparse_layers(const Graph& graph) {
  const Uses uses(graph);
  std::vector<SparseLayer> layers;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!is_dense_product(node) || !graph.is_constant(node.inputs[1])) continue;
    if (graph.is_constant(node.inputs[0]) || graph.dtype(node.inputs[1]) != DType::kFloat32) continue;
    if (uses.readers[static_cast<size_t>(node.inputs[1])].size() != 1) continue;
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue && !graph.is_constant(node.inputs[2])) continue;
    const Shape& shape = graph.shape(node.inputs[1]);
    SparseLayer layer;
    layer.node = static_cast<int>(i);
    layer.outputs = shape[0];
    layer.columns = row_length(graph, node);
    layer.taps = layer.columns / shape.back();
    if (weights_of(graph, layer).allFinite()) layers.push_back(layer);
  }
  return layers;
}

RowMatrix weights_of(const Graph& graph, const SparseLayer& layer) {
  const Node& node = graph.nodes[static_cast<size_t>(layer.node)];
  return Eigen::Map<const RowMatrix>(graph.constant(node.inputs[1]).as<float>().data(), layer.outputs,
                                     layer.columns);
}

void set_weights(Graph& graph, const SparseLayer& layer, const RowMatrix& weights,
                 const Eigen::VectorXf& shift) {
  const Node& node = graph.nodes[static_cast<size_t>(layer.node)];
  Tensor tensor = graph.constant(node.inputs[1]);
  const std::span<float> data = tensor.as<float>();
  // Zeros that took the place of others leave the rest multiples of their step; new weights are none.
  for (size_t i = 0; i < data.size(); ++i) {
    if (weights.data()[i] != 0 && weights.data()[i] != data[i]) tensor.steps = nullptr;
    data[i] = weights.data()[i] == 0 ? 0.0f : weights.data()[i];  // and no -0
  }
  graph.value(node.inputs[1]).constant = std::make_shared<const Tensor>(std::move(tensor));
  if (node.inputs.size() < 3 || node.inputs[2] == kNoValue || shift.isZero(0)) return;
  Tensor bias = graph.constant(node.inputs[2]);
  bias.steps = nullptr;
  const std::span<float> offsets = bias.as<float>();
  for (size_t o = 0; o < offsets.size(); ++o) offsets[o] += shift[static_cast<Eigen::Index>(o)];
  graph.value(node.inputs[2]).constant = std::make_shared<const Tensor>(std::move(bias));
}

int64_t count_zeros(const RowMatrix& weights) { return (weights.array() == 0).count(); }

}  // namespace bantam::compiler
