#include <cstring>
#include <map>
#include <stdexcept>

#include "reference/node.h"

namespace bantam::tests {

const onnx::AttributeProto* Node::attribute(const std::string& name) const {
  for (const auto& attribute : proto.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

int64_t Node::i(const std::string& name, int64_t otherwise) const {
  const auto* found = attribute(name);
  return found != nullptr ? found->i() : otherwise;
}

double Node::f(const std::string& name, double otherwise) const {
  const auto* found = attribute(name);
  return found != nullptr ? double{found->f()} : otherwise;
}

std::string Node::s(const std::string& name, const std::string& otherwise) const {
  const auto* found = attribute(name);
  return found != nullptr ? found->s() : otherwise;
}

Index Node::is(const std::string& name, const Index& otherwise) const {
  const auto* found = attribute(name);
  return found != nullptr ? Index(found->ints().begin(), found->ints().end()) : otherwise;
}

Index Node::is_or_in(const std::string& name, size_t index, const Index& otherwise) const {
  return has_in(index) ? in(index).ints() : is(name, otherwise);
}

namespace {

Kind kind_of(int type) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
      return Kind::kFloat;
    case onnx::TensorProto::INT8:
      return Kind::kInt8;
    case onnx::TensorProto::UINT8:
      return Kind::kUInt8;
    default:
      return Kind::kInt;
  }
}

Array array_of(const onnx::TensorProto& tensor) {
  Array array;
  array.shape.assign(tensor.dims().begin(), tensor.dims().end());
  for (float value : tensor.float_data()) array.values.push_back(value);
  for (int64_t value : tensor.int64_data()) array.values.push_back(static_cast<double>(value));
  for (int32_t value : tensor.int32_data()) array.values.push_back(value);
  array.kind = kind_of(tensor.data_type());
  return array;
}

Array constant(const Node& node) {
  if (const auto* tensor = node.attribute("value")) return array_of(tensor->t());
  if (const auto* integers = node.attribute("value_ints")) {
    return {{integers->ints_size()}, {integers->ints().begin(), integers->ints().end()}, Kind::kInt};
  }
  const auto& reals = node.attribute("value_floats")->floats();
  return {{reals.size()}, {reals.begin(), reals.end()}, Kind::kFloat};
}

}  // namespace

Outputs run_node(const Node& node) {
  if (node.proto.op_type() == "Constant") return {constant(node)};
  if (node.proto.op_type() == "ConstantOfShape") {
    const auto* value = node.attribute("value");
    const Array fill = value != nullptr ? array_of(value->t()) : Array{{1}, {0}};
    return {make(
        node.in(0).ints(), [&](const Index&) { return fill.values[0]; }, fill.kind)};
  }
  for (auto* run : {run_elementwise, run_window, run_resize, run_matrix, run_normalization, run_reduction,
                    run_movement, run_quantized}) {
    Outputs outputs = run(node);
    if (!outputs.empty()) return outputs;
  }
  throw std::logic_error("reference: no loop for " + node.proto.op_type());
}

Outputs run_reference(const onnx::ModelProto& model, const std::vector<Array>& inputs) {
  std::map<std::string, Array> values;
  for (int i = 0; i < model.graph().input_size(); ++i) {
    values[model.graph().input(i).name()] = inputs.at(static_cast<size_t>(i));
  }
  for (const auto& tensor : model.graph().initializer()) values[tensor.name()] = array_of(tensor);
  for (const auto& proto : model.graph().node()) {
    Node node{proto, static_cast<int>(model.opset_import(0).version()), {}};
    for (const auto& name : proto.input()) node.inputs.push_back(name.empty() ? nullptr : &values.at(name));
    Outputs outputs = run_node(node);
    for (int i = 0; i < proto.output_size(); ++i) {
      values[proto.output(i)] = std::move(outputs.at(static_cast<size_t>(i)));
    }
  }
  Outputs results;
  for (const auto& output : model.graph().output()) results.push_back(values.at(output.name()));
  return results;
}

}  // namespace bantam::tests
