#include <numeric>
#include <utility>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_softmax(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::SoftmaxT>(node);
  expect_inputs(node, 1, 2);  // the second: the table of an int8 softmax
  expect_real(graph, node, 0);
  const TensorType& x = input_type(graph, node, 0);
  expect_axis(node, attributes.axis, x.shape.size());
  return x;
}

namespace {

ValueId emit_softmax(NodeImporter& n, ValueId x, int axis, bool log) {
  plan::SoftmaxT attributes;
  attributes.axis = axis;
  attributes.log = log;
  return n.emit(OpCode::kSoftmax, {x}, attributes);
}

// Until opset 12 everything from `axis` on is one axis.
ValueId flattened_softmax(NodeImporter& n, ValueId x, int axis, bool log) {
  const Shape shape = n.shape_of(x);
  const int64_t length = element_count({shape.begin() + axis, shape.end()});
  if (length == shape[static_cast<size_t>(axis)] && !n.is_constant(x)) return emit_softmax(n, x, axis, log);
  const Shape flat = {element_count({shape.begin(), shape.begin() + axis}), length};
  return n.reshape(emit_softmax(n, n.reshape(x, flat), 1, log), shape);
}

// What is computed at once runs as a plan, whose softmax is over the last axis.
ValueId constant_softmax(NodeImporter& n, ValueId x, int axis, bool log) {
  std::vector<int> swap(static_cast<size_t>(n.rank_of(x)));
  std::iota(swap.begin(), swap.end(), 0);
  std::swap(swap[static_cast<size_t>(axis)], swap.back());
  return n.transpose(emit_softmax(n, n.transpose(x, swap), n.rank_of(x) - 1, log), swap);
}

}  // namespace

ValueId softmax(NodeImporter& n, ValueId x, int opset, bool log) {
  if (n.rank_of(x) == 0) n.fail("its input is a scalar");
  const bool flattens = opset < 13;
  const int axis = n.axis(n.attr_int("axis", flattens ? 1 : -1), n.rank_of(x));
  if (flattens) return flattened_softmax(n, x, axis, log);
  return n.is_constant(x) ? constant_softmax(n, x, axis, log) : emit_softmax(n, x, axis, log);
}

// ONNX Softmax and LogSoftmax 1, 11, 13.
void import_softmax(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.output(softmax(n, n.input(0), n.opset(), false));
}
void import_log_softmax(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.output(softmax(n, n.input(0), n.opset(), true));
}

}  // namespace bantam::compiler
