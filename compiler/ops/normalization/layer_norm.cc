#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_layer_norm(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::LayerNormT>(node);
  expect_inputs(node, 1, 3);
  expect_real(graph, node, 0);
  const TensorType& x = input_type(graph, node, 0);
  const int rank = static_cast<int>(x.shape.size());
  if (attributes.axes < 1 || attributes.axes > rank) {
    fail(node, fmt::format("over the last {} dimensions of {}", attributes.axes, rank));
  }
  const Shape normalized(x.shape.end() - attributes.axes, x.shape.end());
  for (size_t i = 1; i < 3; ++i) {
    if (!has_input(node, i)) continue;
    expect_dtype(graph, node, i, {DType::kFloat32, DType::kFloat16});
    const Shape& shape = input_type(graph, node, i).shape;
    if (shape != normalized) {
      fail(node,
           fmt::format("input {} is [{}], it must be [{}]", i, to_string(shape), to_string(normalized)));
    }
  }
  return x;
}

namespace {

// Scale and bias may be smaller than the normalized shape and broadcast to it.
ValueId expanded(NodeImporter& n, ValueId id, const Shape& normalized) {
  const Shape shape = n.shape_of(id);
  if (shape == normalized) return id;
  const std::optional<Shape> common = broadcast_shapes(shape, normalized);
  if (!common || *common != normalized) {
    n.fail(fmt::format("scale or bias [{}] does not broadcast to [{}]", to_string(shape),
                       to_string(normalized)));
  }
  return n.emit(OpCode::kExpand, {id}, {}, TensorType{n.type_of(id).dtype, normalized});
}

// The optional outputs Mean and InvStdDev.
void output_statistics(NodeImporter& n, ValueId x, int axis, float epsilon) {
  plan::ReduceT mean;
  mean.kind = plan::ReduceKind::kMean;
  for (int i = axis; i < n.rank_of(x); ++i) mean.axes.push_back(i);
  const ValueId average = n.emit(OpCode::kReduce, {x}, mean);
  const ValueId deviation = n.binary(plan::BinaryKind::kSub, x, average);
  const ValueId variance = n.emit(OpCode::kReduce, {n.unary(plan::UnaryKind::kSquare, deviation)}, mean);
  const ValueId shifted = n.binary(plan::BinaryKind::kAdd, variance, n.float_scalar(epsilon));
  n.output(1, average);
  n.output(2, n.unary(plan::UnaryKind::kRsqrt, shifted));
}

}  // namespace

// ONNX LayerNormalization 17.
void import_layer_norm(NodeImporter& n) {
  expect_input_count(n, 2, 3);
  n.ignore_attr("stash_type");  // bantam computes in float32 throughout
  const ValueId x = n.input(0);
  const Shape shape = n.shape_of(x);
  const int axis = n.axis(n.attr_int("axis", -1), n.rank_of(x));
  const Shape normalized(shape.begin() + axis, shape.end());
  plan::LayerNormT attributes;
  attributes.axes = static_cast<int>(normalized.size());
  attributes.epsilon = n.attr_float("epsilon", 1e-5f);
  std::vector<ValueId> inputs = {x};
  for (int i = 1; i < n.input_count(); ++i) inputs.push_back(expanded(n, n.input(i), normalized));
  n.output(0, n.emit(OpCode::kLayerNorm, std::move(inputs), attributes));
  if (n.output_count() > 1) output_statistics(n, x, axis, attributes.epsilon);
}

}  // namespace bantam::compiler
