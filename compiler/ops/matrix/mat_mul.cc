#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/matrix/fully_connected.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_mat_mul(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::MatMulT>(node);
  expect_inputs(node, 2);
  expect_real(graph, node, 0);
  expect_same_dtype(graph, node, 1);
  const TensorType& a = input_type(graph, node, 0);
  const Shape& b = input_type(graph, node, 1).shape;
  const size_t rank_a = a.shape.size();
  const size_t rank_b = b.size();
  if (rank_a < 2 || rank_b < 2) fail(node, "a matrix has fewer than 2 dimensions");
  const int64_t depth = attributes.transpose_b ? b[rank_b - 1] : b[rank_b - 2];
  const int64_t columns = attributes.transpose_b ? b[rank_b - 2] : b[rank_b - 1];
  if (a.shape[rank_a - 1] != depth) {
    fail(node, fmt::format("[{}] times [{}]{}: the inner dimensions differ", to_string(a.shape), to_string(b),
                           attributes.transpose_b ? " transposed" : ""));
  }
  Shape shape = broadcast(node, {a.shape.begin(), a.shape.end() - 2}, {b.begin(), b.end() - 2});
  shape.push_back(a.shape[rank_a - 2]);
  shape.push_back(columns);
  return {a.dtype, shape};
}

// As numpy.matmul: a 1-d operand is a row on the left, a column on the right, and that dimension is dropped
// from the result.
ValueId matrix_product(NodeImporter& n, ValueId left, ValueId b) {
  const Shape a_shape = n.shape_of(left);
  const Shape b_shape = n.shape_of(b);
  if (a_shape.empty() || b_shape.empty()) n.fail("an operand is a scalar");
  const bool row = a_shape.size() == 1;
  const bool column = b_shape.size() == 1;
  const ValueId a = row ? n.reshape(left, {1, a_shape[0]}) : left;
  ValueId product = kNoValue;
  if (n.is_constant(b) && b_shape.size() <= 2) {
    const ValueId weights = column ? n.reshape(b, {1, b_shape[0]}) : n.transpose(b, {1, 0});
    product = emit_fully_connected(n, a, weights, kNoValue);
  } else {
    product = n.emit(OpCode::kMatMul, {a, column ? n.reshape(b, {b_shape[0], 1}) : b}, plan::MatMulT());
  }
  Shape shape = n.shape_of(product);
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  return n.reshape(product, shape);
}

// ONNX MatMul 1, 9, 13.
void import_mat_mul(NodeImporter& n) {
  expect_input_count(n, 2, 2);
  n.output(matrix_product(n, n.input(0), n.input(1)));
}

}  // namespace bantam::compiler
