// Layers of float data whose weights are int8 or 4 bits wide.
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_narrow_fully_connected(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::NarrowFullyConnectedT>(node);
  expect_inputs(node, 2, 3);
  expect_dtype(graph, node, 0, {DType::kFloat32});
  expect_dtype(graph, node, 1, {DType::kInt8});
  expect_rank(graph, node, 1, 2);
  if (has_input(node, 2)) expect_dtype(graph, node, 2, {DType::kFloat32, DType::kFloat16});
  const Shape& x = input_type(graph, node, 0).shape;
  const Shape& w = input_type(graph, node, 1).shape;
  const int64_t columns = attributes.bits == 4 ? 2 * w[1] : w[1];
  if (x.empty() || x.back() != columns) {
    fail(node, fmt::format("input [{}] does not fit weights [{}, {}]", to_string(x), w[0], columns));
  }
  expect_vector(graph, node, 2, w[0]);
  Shape shape = x;
  shape.back() = w[0];
  return {DType::kFloat32, shape};
}

}  // namespace bantam::compiler
