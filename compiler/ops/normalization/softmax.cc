#include <numeric>
#include <utility>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_softmax(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::SoftmaxT>(node);
  expect_inputs(node, 1);
  expect_real(graph, node, 0);
  const TensorType& x = input_type(graph, node, 0);
  const int rank = static_cast<int>(x.shape.size());
  expect_axis(node, attributes.axis < 0 ? attributes.axis + rank : attributes.axis, x.shape.size());
  return x;
}

namespace {

ValueId softmax_of_last(NodeImporter& n, ValueId x, bool log) {
  plan::SoftmaxT attributes;
  attributes.axis = -1;
  attributes.log = log;
  return n.emit(OpCode::kSoftmax, {x}, attributes);
}

// Until opset 12 everything from `axis` on is one axis.
ValueId flattened_softmax(NodeImporter& n, ValueId x, int axis, bool log) {
  const Shape shape = n.shape_of(x);
  const Shape flat = {element_count({shape.begin(), shape.begin() + axis}),
                      element_count({shape.begin() + axis, shape.end()})};
  return n.reshape(softmax_of_last(n, n.reshape(x, flat), log), shape);
}

ValueId softmax_of_axis(NodeImporter& n, ValueId x, int axis, bool log) {
  std::vector<int> swap(static_cast<size_t>(n.rank_of(x)));
  std::iota(swap.begin(), swap.end(), 0);
  std::swap(swap[static_cast<size_t>(axis)], swap.back());
  return n.transpose(softmax_of_last(n, n.transpose(x, swap), log), swap);
}

// ONNX Softmax and LogSoftmax 1, 11, 13. The op works on the last axis.
void import_any_softmax(NodeImporter& n, bool log) {
  expect_input_count(n, 1, 1);
  const ValueId x = n.input(0);
  if (n.rank_of(x) == 0) n.fail("its input is a scalar");
  if (n.opset() < 13) {
    n.output(flattened_softmax(n, x, n.axis(n.attr_int("axis", 1), n.rank_of(x)), log));
  } else {
    n.output(softmax_of_axis(n, x, n.axis(n.attr_int("axis", -1), n.rank_of(x)), log));
  }
}

}  // namespace

void import_softmax(NodeImporter& n) { import_any_softmax(n, false); }
void import_log_softmax(NodeImporter& n) { import_any_softmax(n, true); }

}  // namespace bantam::compiler
