// Expand and Tile: the same elements more than once.
#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_expand(const Graph& graph, const Node& node) {
  expect_inputs(node, 1);
  const TensorType& x = input_type(graph, node, 0);
  const Shape& shape = output_type(graph, node).shape;
  if (broadcast(node, x.shape, shape) != shape) {
    fail(node, fmt::format("[{}] does not broadcast to [{}]", to_string(x.shape), to_string(shape)));
  }
  return {x.dtype, shape};
}

TensorType infer_tile(const Graph& graph, const Node& node) {
  expect_inputs(node, 1);
  const TensorType& x = input_type(graph, node, 0);
  const Shape& shape = output_type(graph, node).shape;
  bool fits = shape.size() == x.shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = x.shape[i] != 0 && shape[i] % x.shape[i] == 0;
  if (!fits) fail(node, fmt::format("[{}] cannot be tiled to [{}]", to_string(x.shape), to_string(shape)));
  return {x.dtype, shape};
}

// ONNX Expand 8, 13: to the common broadcast shape of x and the one given.
void import_expand(NodeImporter& n) {
  expect_input_count(n, 2, 2);
  const ValueId x = n.input(0);
  const Shape wanted = n.ints_of(n.constant(1, "shape"), "shape");
  const std::optional<Shape> shape = broadcast_shapes(n.shape_of(x), wanted);
  if (!shape) {
    n.fail(fmt::format("[{}] does not broadcast to [{}]", to_string(n.shape_of(x)), to_string(wanted)));
  }
  if (*shape == n.shape_of(x)) return n.output(x);
  n.output(n.emit(OpCode::kExpand, {x}, {}, TensorType{n.type_of(x).dtype, *shape}));
}

// ONNX Tile 6, 13.
void import_tile(NodeImporter& n) {
  expect_input_count(n, 2, 2);
  const ValueId x = n.input(0);
  Shape shape = n.shape_of(x);
  const std::vector<int64_t> repeats = n.ints_of(n.constant(1, "repeats"), "repeats");
  if (repeats.size() != shape.size()) {
    n.fail(fmt::format("{} repeats for [{}]", repeats.size(), to_string(shape)));
  }
  for (size_t i = 0; i < shape.size(); ++i) shape[i] *= checked_int(n, repeats[i], "repeats", 0, INT32_MAX);
  if (shape == n.shape_of(x)) return n.output(x);
  n.output(n.emit(OpCode::kTile, {x}, {}, TensorType{n.type_of(x).dtype, shape}));
}

}  // namespace bantam::compiler
