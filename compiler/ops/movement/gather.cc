#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_gather(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::GatherT>(node);
  expect_inputs(node, 2);
  expect_dtype(graph, node, 1, {DType::kInt64, DType::kInt32});
  const TensorType& x = input_type(graph, node, 0);
  const Shape& indices = input_type(graph, node, 1).shape;
  expect_axis(node, attributes.axis, x.shape.size());
  if (!attributes.elements) {
    Shape shape(x.shape.begin(), x.shape.begin() + attributes.axis);
    shape.insert(shape.end(), indices.begin(), indices.end());
    shape.insert(shape.end(), x.shape.begin() + attributes.axis + 1, x.shape.end());
    return {x.dtype, shape};
  }
  bool fits = indices.size() == x.shape.size();
  for (size_t i = 0; fits && i < indices.size(); ++i) {
    fits = i == static_cast<size_t>(attributes.axis) || indices[i] <= x.shape[i];
  }
  if (!fits) {
    fail(node, fmt::format("indices [{}] do not fit [{}] along axis {}", to_string(indices),
                           to_string(x.shape), attributes.axis));
  }
  return {x.dtype, indices};
}

namespace {

// ONNX Gather 1, 11, 13 and GatherElements 11, 13. Indices count from the end when negative.
void import_any_gather(NodeImporter& n, bool elements) {
  expect_input_count(n, 2, 2);
  const ValueId x = n.input(0);
  const ValueId indices = n.input(1);
  plan::GatherT attributes;
  attributes.axis = n.axis(n.attr_int("axis", 0), n.rank_of(x));
  attributes.elements = elements;
  const DType dtype = n.type_of(indices).dtype;
  if (n.is_constant(indices) && (dtype == DType::kInt64 || dtype == DType::kInt32)) {
    const int64_t dim = n.shape_of(x)[static_cast<size_t>(attributes.axis)];
    for (int64_t index : n.constant_of(indices).to_int64()) {
      if (index < -dim || index >= dim) n.fail(fmt::format("index {} of a dimension of {}", index, dim));
    }
  }
  n.output(n.emit(OpCode::kGather, {x, indices}, attributes));
}

}  // namespace

void import_gather(NodeImporter& n) { import_any_gather(n, false); }
void import_gather_elements(NodeImporter& n) { import_any_gather(n, true); }

}  // namespace bantam::compiler
