#include "export/onnx_builder.h"

#include <fmt/format.h>

#include "bantam/compiler/error.h"
#include "ops/op_def.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

constexpr int kOpset = 17;
constexpr int kIrVersion = 8;

onnx::AttributeProto& new_attribute(onnx::NodeProto& node, const std::string& name,
                                    onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

}  // namespace

int onnx_dtype(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return onnx::TensorProto::FLOAT;
    case DType::kFloat16:
      return onnx::TensorProto::FLOAT16;
    case DType::kInt8:
      return onnx::TensorProto::INT8;
    case DType::kUInt8:
      return onnx::TensorProto::UINT8;
    case DType::kInt32:
      return onnx::TensorProto::INT32;
    case DType::kInt64:
      return onnx::TensorProto::INT64;
    case DType::kBool:
      return onnx::TensorProto::BOOL;
  }
  throw InternalError("an element type that does not exist");
}

void set_attribute(onnx::NodeProto& node, const std::string& name, int64_t value) {
  new_attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}
void set_attribute(onnx::NodeProto& node, const std::string& name, float value) {
  new_attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  new_attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
  onnx::AttributeProto& attribute = new_attribute(node, name, onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute.add_ints(value);
}

OnnxBuilder::OnnxBuilder(const Graph& graph, bool free_batch) : graph_(graph), free_batch_(free_batch) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("bantam");
  model_.set_producer_version(BANTAM_VERSION);
  onnx::OperatorSetIdProto& opset = *model_.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  model_.mutable_graph()->set_name(graph.name.empty() ? "graph" : graph.name);
  for (ValueId id : graph.inputs) names_.insert(graph.value(id).name);
  for (ValueId id : graph.outputs) names_.insert(graph.value(id).name);
}

std::string OnnxBuilder::fresh(const std::string& like) {
  std::string name = like.empty() ? "value" : like;
  for (int i = 1; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", like, i);
  return name;
}

bool OnnxBuilder::has(ValueId id, Form form) const {
  return graph_.is_constant(id) || known_.contains({id, form});
}

void OnnxBuilder::define(ValueId id, Form form, const std::string& name) { known_[{id, form}] = name; }

std::string OnnxBuilder::name(ValueId id, Form form) {
  if (id == kNoValue) return "";
  const auto found = known_.find({id, form});
  if (found != known_.end()) return found->second;
  const std::vector<int64_t> perm =
      form == Form::kPlanar ? std::vector<int64_t>{0, 3, 1, 2} : std::vector<int64_t>{0, 2, 3, 1};
  std::string name;
  if (graph_.is_constant(id)) {
    const std::vector<int> order(perm.begin(), perm.end());
    const Tensor& tensor = graph_.constant(id);
    name = initializer(graph_.value(id).name, form == Form::kPlanar ? permuted(tensor, order) : tensor);
  } else {
    const Form other = form == Form::kPlanar ? Form::kPlain : Form::kPlanar;
    if (!known_.contains({id, other})) throw InternalError("a value is written before it is made");
    onnx::NodeProto& transpose = add("Transpose", graph_.value(id).name + "_transpose");
    transpose.add_input(known_.at({id, other}));
    name = fresh(graph_.value(id).name);
    transpose.add_output(name);
    set_attribute(transpose, "perm", perm);
  }
  define(id, form, name);
  return name;
}

onnx::NodeProto& OnnxBuilder::add(const std::string& type, const std::string& like) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(type);
  std::string name = like.empty() ? type : like;
  for (int i = 1; !node_names_.insert(name).second; ++i)
    name = fmt::format("{}_{}", like.empty() ? type : like, i);
  node.set_name(name);
  return node;
}

onnx::NodeProto& OnnxBuilder::add(const std::string& type, const Node& node, std::vector<std::string> inputs,
                                  Form form) {
  onnx::NodeProto& proto = add(type, node.name);
  while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
  for (std::string& input : inputs) proto.add_input(std::move(input));
  const ValueId output = node.outputs[0];
  const std::string result = fresh(graph_.value(output).name);
  proto.add_output(result);
  define(output, form, result);
  return proto;
}

std::string OnnxBuilder::add_inner(const std::string& type, const Node& node,
                                   std::vector<std::string> inputs) {
  onnx::NodeProto& proto = add(type, node.name);
  for (std::string& input : inputs) proto.add_input(std::move(input));
  const std::string result = fresh(node.name + "_inner");
  proto.add_output(result);
  return result;
}

std::string OnnxBuilder::add_transpose(const Node& node, const std::string& input,
                                       const std::vector<int64_t>& perm) {
  onnx::NodeProto& proto = add("Transpose", node.name);
  proto.add_input(input);
  set_attribute(proto, "perm", perm);
  const std::string result = fresh(node.name + "_inner");
  proto.add_output(result);
  return result;
}

std::string OnnxBuilder::initializer(const std::string& like, const Tensor& tensor) {
  onnx::TensorProto& proto = *model_.mutable_graph()->add_initializer();
  const std::string name = fresh(like.empty() ? "constant" : like);
  proto.set_name(name);
  proto.set_data_type(onnx_dtype(tensor.type.dtype));
  for (int64_t dim : tensor.type.shape) proto.add_dims(dim);
  proto.set_raw_data(tensor.bytes.data(), tensor.bytes.size());
  return name;
}

std::string OnnxBuilder::ints(const std::string& like, const std::vector<int64_t>& values) {
  return initializer(like, Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

std::string OnnxBuilder::scalar(const std::string& like, float value) {
  return initializer(like, Tensor::scalar<float>(value));
}

void OnnxBuilder::describe(onnx::ValueInfoProto& info, ValueId id, Form form) const {
  onnx::TypeProto_Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_dtype(graph_.dtype(id)));
  onnx::TensorShapeProto& shape = *type.mutable_shape();
  for (int64_t dim : in_form(graph_.shape(id), form)) shape.add_dim()->set_dim_value(dim);
  if (free_batch_) shape.mutable_dim(0)->set_dim_param("N");
}

void OnnxBuilder::add_input(ValueId id, Form form) {
  onnx::ValueInfoProto& info = *model_.mutable_graph()->add_input();
  std::string name = graph_.value(id).name;
  if (form == Form::kPlanar) name = graph_.value(graph_.inputs[0]).name;  // in place of the image
  info.set_name(name);
  describe(info, id, form);
  define(id, form, name);
}

void OnnxBuilder::add_output(ValueId id) {
  const std::string& wanted = graph_.value(id).name;
  const std::string made = name(id, Form::kPlain);
  if (made != wanted) {
    onnx::NodeProto& identity = add("Identity", wanted + "_identity");
    identity.add_input(made);
    identity.add_output(wanted);
  }
  onnx::ValueInfoProto& info = *model_.mutable_graph()->add_output();
  info.set_name(wanted);
  describe(info, id, Form::kPlain);
}

Shape in_form(const Shape& shape, Form form) {
  if (form == Form::kPlain) return shape;
  return {shape[0], shape[3], shape[1], shape[2]};
}

int64_t axis_in_form(int64_t axis, Form form) { return form == Form::kPlain ? axis : kPlanarAxis[axis]; }

Form natural_form(const OnnxBuilder& builder, const Node& node) {
  const Graph& graph = builder.graph();
  if (graph.shape(node.outputs[0]).size() != 4) return Form::kPlain;
  Form form = Form::kPlain;
  for (ValueId id : node.inputs) {
    if (id == kNoValue || graph.is_constant(id)) continue;
    if (graph.shape(id).size() != 4) return Form::kPlain;
    if (builder.has(id, Form::kPlanar)) form = Form::kPlanar;
  }
  return form;
}

void fail_to_write(const Node& node, const std::string& what) {
  throw CompileError(
      fmt::format("{} node '{}' cannot be written as ONNX: {}", op_def(node.code).name, node.name, what));
}

}  // namespace bantam::compiler
