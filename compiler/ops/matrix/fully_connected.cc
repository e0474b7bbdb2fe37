#include "ops/matrix/fully_connected.h"

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_fully_connected(const Graph& graph, const Node& node) {
  attributes_of<plan::FullyConnectedT>(node);
  expect_inputs(node, 2, 3);
  expect_weights(graph, node);
  expect_rank(graph, node, 1, 2);
  const TensorType& x = input_type(graph, node, 0);
  const Shape& w = input_type(graph, node, 1).shape;
  if (x.shape.empty() || x.shape.back() != w[1]) {
    fail(node, fmt::format("input [{}] does not fit weights [{}]", to_string(x.shape), to_string(w)));
  }
  expect_vector(graph, node, 2, w[0]);
  Shape shape = x.shape;
  shape.back() = w[0];
  return {x.dtype, shape};
}

ValueId emit_fully_connected(NodeImporter& n, ValueId x, ValueId weights, ValueId bias) {
  std::vector<ValueId> inputs = {x, weights};
  if (bias != kNoValue) inputs.push_back(bias);
  return n.emit(OpCode::kFullyConnected, std::move(inputs), plan::FullyConnectedT());
}

namespace {

ValueId scaled(NodeImporter& n, ValueId x, float factor) {
  return factor == 1.0f ? x : n.binary(plan::BinaryKind::kMul, x, n.float_scalar(factor));
}

// C as a bias [N], when it is constant and the same for every row; kNoValue otherwise.
ValueId row_bias(NodeImporter& n, ValueId c, int64_t columns) {
  const Shape shape = n.shape_of(c);
  const int64_t elements = element_count(shape);
  const bool one_row = shape.size() < 2 || shape[shape.size() - 2] == 1;
  if (!n.is_constant(c) || !one_row || shape.size() > 2 || (elements != 1 && elements != columns))
    return kNoValue;
  const ValueId row = n.reshape(c, {elements});
  if (elements == columns) return row;
  const Tensor& scalar = n.constant_of(row);
  return n.constant_value(
      Tensor::of<float>({columns}, std::vector<float>(static_cast<size_t>(columns), scalar.as<float>()[0])));
}

void expect_gemm_operands(const NodeImporter& n, const std::vector<ValueId>& operands) {
  for (size_t i = 0; i < operands.size(); ++i) {
    if (operands[i] != kNoValue && n.type_of(operands[i]).dtype != DType::kFloat32) {
      n.fail(fmt::format("input {} is {}; supported: float32", i, to_string(n.type_of(operands[i]))));
    }
  }
  if (n.rank_of(operands[0]) != 2 || n.rank_of(operands[1]) != 2) {
    n.fail(fmt::format("inputs [{}] and [{}] must have 2 dimensions", to_string(n.shape_of(operands[0])),
                       to_string(n.shape_of(operands[1]))));
  }
}

void expect_addend(const NodeImporter& n, ValueId addend, int64_t rows, int64_t columns) {
  const Shape c = n.shape_of(addend);
  const Shape y = {rows, columns};
  bool fits = c.size() <= 2;
  for (size_t i = 0; fits && i < c.size(); ++i) fits = c[i] == 1 || c[i] == y[i + 2 - c.size()];
  if (!fits) n.fail(fmt::format("C [{}] does not broadcast to [{}]", to_string(c), to_string(y)));
}

}  // namespace

// alpha * A' * B' + beta * C
ValueId gemm(NodeImporter& n, ValueId left, ValueId b, ValueId c) {
  expect_gemm_operands(n, {left, b, c});
  const float alpha = n.attr_float("alpha", 1.0f);
  const float beta = n.attr_float("beta", 1.0f);
  const bool transpose_a = n.attr_int("transA", 0) != 0;
  const bool transpose_b = n.attr_int("transB", 0) != 0;
  const ValueId a = transpose_a ? n.transpose(left, {1, 0}) : left;
  const int64_t rows = n.shape_of(a)[0];
  const int64_t columns = n.shape_of(b)[transpose_b ? 0 : 1];
  if (c != kNoValue) expect_addend(n, c, rows, columns);
  const ValueId addend = beta == 0.0f ? kNoValue : c;
  if (!n.is_constant(b)) {
    plan::MatMulT attributes;
    attributes.transpose_b = transpose_b;
    const ValueId product = scaled(n, n.emit(OpCode::kMatMul, {a, b}, attributes), alpha);
    return addend == kNoValue ? product : n.binary(plan::BinaryKind::kAdd, product, scaled(n, addend, beta));
  }
  const ValueId weights = scaled(n, transpose_b ? b : n.transpose(b, {1, 0}), alpha);
  const ValueId bias = addend == kNoValue ? kNoValue : row_bias(n, addend, columns);
  if (bias != kNoValue || addend == kNoValue) {
    return emit_fully_connected(n, a, weights, bias == kNoValue ? bias : scaled(n, bias, beta));
  }
  const ValueId product = emit_fully_connected(n, a, weights, kNoValue);
  return n.binary(plan::BinaryKind::kAdd, product, scaled(n, addend, beta));
}

// ONNX Gemm 7, 9, 11, 13.
void import_gemm(NodeImporter& n) {
  expect_input_count(n, 2, 3);
  n.output(gemm(n, n.input(0), n.input(1), n.has_input(2) ? n.input(2) : kNoValue));
}

}  // namespace bantam::compiler
