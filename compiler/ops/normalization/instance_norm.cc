#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_instance_norm(const Graph& graph, const Node& node) {
  attributes_of<plan::InstanceNormT>(node);
  expect_inputs(node, 3);
  expect_real(graph, node, 0);
  expect_rank(graph, node, 0, 4);
  const TensorType& x = input_type(graph, node, 0);
  const int64_t channels = x.shape[spatial_axes(graph.layout).channel];
  for (size_t i = 1; i < 3; ++i) {
    expect_dtype(graph, node, i, {DType::kFloat32, DType::kFloat16});
    expect_vector(graph, node, i, channels);
  }
  return x;
}

// ONNX InstanceNormalization 6, 22: over all dimensions behind the channels, which are made two.
void import_instance_norm(NodeImporter& n) {
  expect_input_count(n, 3, 3);
  const ValueId x = n.input(0);
  const Shape shape = n.shape_of(x);
  if (shape.size() < 3) n.fail(fmt::format("input [{}]; supported: [N,C,...]", to_string(shape)));
  Shape planar = shape;
  if (shape.size() != 4) planar = {shape[0], shape[1], 1, element_count({shape.begin() + 2, shape.end()})};
  plan::InstanceNormT attributes;
  attributes.epsilon = n.attr_float("epsilon", 1e-5f);
  const ValueId y = n.emit(OpCode::kInstanceNorm, {n.reshape(x, planar), n.input(1), n.input(2)}, attributes);
  n.output(n.reshape(y, shape));
}

}  // namespace bantam::compiler
