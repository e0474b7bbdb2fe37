#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_arg_max(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::ArgMaxT>(node);
  expect_inputs(node, 1);
  const TensorType& x = input_type(graph, node, 0);
  if (!is_integer(x.dtype)) expect_real(graph, node, 0);
  expect_axis(node, attributes.axis, x.shape.size());
  Shape shape = x.shape;
  shape[static_cast<size_t>(attributes.axis)] = 1;
  if (!attributes.keep_dims) shape.erase(shape.begin() + attributes.axis);
  return {DType::kInt64, shape};
}

namespace {

// ONNX ArgMax and ArgMin 1, 11, 12, 13.
void import_arg(NodeImporter& n, bool minimum) {
  expect_input_count(n, 1, 1);
  plan::ArgMaxT attributes;
  attributes.axis = n.axis(n.attr_int("axis", 0), n.rank_of(n.input(0)));
  attributes.keep_dims = n.attr_int("keepdims", 1) != 0;
  attributes.select_last = n.attr_int("select_last_index", 0) != 0;
  attributes.minimum = minimum;
  n.output(n.emit(OpCode::kArgMax, {n.input(0)}, attributes));
}

}  // namespace

void import_arg_max(NodeImporter& n) { import_arg(n, false); }
void import_arg_min(NodeImporter& n) { import_arg(n, true); }

}  // namespace bantam::compiler
