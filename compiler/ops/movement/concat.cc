#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_concat(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::ConcatT>(node);
  expect_inputs(node, 1, SIZE_MAX);
  TensorType out = input_type(graph, node, 0);
  expect_axis(node, attributes.axis, out.shape.size());
  const size_t axis = static_cast<size_t>(attributes.axis);
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (!has_input(node, i)) fail(node, fmt::format("input {} is missing", i));
    expect_same_dtype(graph, node, i);
    const Shape& shape = input_type(graph, node, i).shape;
    bool fits = shape.size() == out.shape.size();
    for (size_t d = 0; fits && d < shape.size(); ++d) fits = d == axis || shape[d] == out.shape[d];
    if (!fits) {
      fail(node, fmt::format("input {} is [{}], which does not fit [{}] along axis {}", i, to_string(shape),
                             to_string(input_type(graph, node, 0).shape), axis));
    }
    out.shape[axis] += shape[axis];
  }
  return out;
}

ValueId concatenation(NodeImporter& n, const std::vector<ValueId>& parts) {
  if (!n.has_attr("axis")) n.fail("attribute axis is missing");
  std::vector<ValueId> inputs;
  for (const ValueId part : parts) {
    if (element_count(n.shape_of(part)) > 0) inputs.push_back(part);
  }
  if (inputs.empty()) inputs.push_back(parts[0]);
  plan::ConcatT attributes;
  attributes.axis = n.axis(n.attr_int("axis", 0), n.rank_of(inputs[0]));
  return inputs.size() == 1 ? inputs[0] : n.emit(OpCode::kConcat, inputs, attributes);
}

// ONNX Concat 4, 11, 13.
void import_concat(NodeImporter& n) {
  expect_input_count(n, 1, INT32_MAX);
  std::vector<ValueId> parts;
  for (int i = 0; i < n.input_count(); ++i) parts.push_back(n.input(i));
  n.output(concatenation(n, parts));
}

}  // namespace bantam::compiler
