#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_where(const Graph& graph, const Node& node) {
  expect_inputs(node, 3);
  expect_dtype(graph, node, 0, {DType::kBool});
  const TensorType& a = input_type(graph, node, 1);
  const TensorType& b = input_type(graph, node, 2);
  if (a.dtype != b.dtype) fail(node, fmt::format("choices {} and {}", to_string(a), to_string(b)));
  return {a.dtype, broadcast(node, broadcast(node, input_type(graph, node, 0).shape, a.shape), b.shape)};
}

// ONNX Where 9, 16.
void import_where(NodeImporter& n) {
  expect_input_count(n, 3, 3);
  n.output(n.emit(OpCode::kWhere, {n.input(0), n.input(1), n.input(2)}));
}

}  // namespace bantam::compiler
