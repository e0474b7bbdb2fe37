#include "op_case.h"

#include <random>

#include "hash64.h"

namespace bantam::tests {
namespace {

void set_value(onnx::AttributeProto* proto, int64_t value) {
  proto->set_type(onnx::AttributeProto::INT);
  proto->set_i(value);
}
void set_value(onnx::AttributeProto* proto, float value) {
  proto->set_type(onnx::AttributeProto::FLOAT);
  proto->set_f(value);
}
void set_value(onnx::AttributeProto* proto, const std::string& value) {
  proto->set_type(onnx::AttributeProto::STRING);
  proto->set_s(value);
}
void set_value(onnx::AttributeProto* proto, const ints& values) {
  proto->set_type(onnx::AttributeProto::INTS);
  for (int64_t value : values) proto->add_ints(value);
}
void set_value(onnx::AttributeProto* proto, const floats& values) {
  proto->set_type(onnx::AttributeProto::FLOATS);
  for (float value : values) proto->add_floats(value);
}
void set_value(onnx::AttributeProto* proto, const Fill& fill) {
  proto->set_type(onnx::AttributeProto::TENSOR);
  proto->mutable_t()->set_data_type(onnx::TensorProto::FLOAT);
  proto->mutable_t()->add_dims(1);
  proto->mutable_t()->add_float_data(fill.value);
}

void add_constant(const Constant& constant, std::mt19937& random, onnx::TensorProto* proto) {
  proto->set_name(constant.name);
  for (int64_t dim : constant.shape) proto->add_dims(dim);
  if (!constant.integers.empty()) {
    proto->set_data_type(constant.integer_type);
    for (int64_t value : constant.integers) {
      if (constant.integer_type == onnx::TensorProto::INT64) {
        proto->add_int64_data(value);
      } else {
        proto->add_int32_data(static_cast<int32_t>(value));
      }
    }
    return;
  }
  proto->set_data_type(onnx::TensorProto::FLOAT);
  for (float value : constant.reals) proto->add_float_data(value);
  if (constant.low == constant.high) return;
  int64_t count = 1;
  for (int64_t dim : constant.shape) count *= dim;
  for (int64_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(random()) / 4294967296.0;
    proto->add_float_data(static_cast<float>(constant.low + (constant.high - constant.low) * share));
  }
}

void add_node(const NodeRow& row, size_t number, onnx::NodeProto* proto) {
  const size_t colon = row.type.find(':');
  if (colon != std::string::npos) proto->set_domain(row.type.substr(0, colon));
  proto->set_op_type(row.type.substr(colon + 1));
  proto->set_name(proto->op_type() + std::to_string(number));
  for (const std::string& name : row.inputs) proto->add_input(name);
  for (const std::string& name : row.outputs) proto->add_output(name);
  for (const Attr& attr : row.attributes) {
    onnx::AttributeProto* attribute = proto->add_attribute();
    attribute->set_name(attr.name);
    std::visit([&](const auto& value) { set_value(attribute, value); }, attr.value);
  }
}

}  // namespace

onnx::ModelProto build_model(const OpCase& it) {
  std::mt19937 random(static_cast<uint32_t>(hash64(it.name.data(), it.name.size())));
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(it.opset);
  onnx::GraphProto* graph = model.mutable_graph();
  graph->set_name(it.name);
  for (const Input& input : it.inputs) {
    onnx::ValueInfoProto* info = graph->add_input();
    info->set_name(input.name);
    auto* type = info->mutable_type()->mutable_tensor_type();
    type->set_elem_type(input.type);
    type->mutable_shape();
    for (int64_t dim : input.shape) type->mutable_shape()->add_dim()->set_dim_value(dim);
  }
  for (const Constant& constant : it.constants) add_constant(constant, random, graph->add_initializer());
  for (size_t i = 0; i < it.nodes.size(); ++i) add_node(it.nodes[i], i, graph->add_node());
  for (const std::string& name : it.nodes.back().outputs) graph->add_output()->set_name(name);
  return model;
}

}  // namespace bantam::tests
