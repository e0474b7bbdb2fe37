#include "one_node.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

#include "bantam/compiler/error.h"
#include "onnx/onnx.pb.h"
#include "ops/op_def.h"

namespace bantam::tests {

struct OneNode::State {
  onnx::NodeProto proto;
  int opset = 0;
  Graph graph;
  std::vector<ValueId> inputs;
};

Tensor ints(std::vector<int64_t> values) {
  return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

Tensor floats(std::vector<float> values) {
  return Tensor::of<float>({static_cast<int64_t>(values.size())}, values);
}

std::string Imported::ops() const {
  std::vector<std::string_view> names;
  for (const Node& node : graph.nodes) names.push_back(op_def(node.code).name);
  return fmt::format("{}", fmt::join(names, " "));
}

void Imported::expect_one(int count) {
  if (count != 1) throw std::runtime_error(fmt::format("{} nodes with these attributes", count));
}

OneNode::OneNode(std::string type, int opset) : state_(std::make_unique<State>()) {
  state_->proto.set_op_type(std::move(type));
  state_->proto.set_name("it");
  state_->proto.add_output("y");
  state_->opset = opset;
}
OneNode::OneNode(OneNode&&) noexcept = default;
OneNode& OneNode::operator=(OneNode&&) noexcept = default;
OneNode::~OneNode() = default;

OneNode& OneNode::input(Shape shape, DType dtype) {
  const ValueId id =
      state_->graph.add_value(fmt::format("x{}", state_->inputs.size()), {dtype, std::move(shape)});
  state_->graph.inputs.push_back(id);
  state_->inputs.push_back(id);
  return *this;
}

OneNode& OneNode::constant(Tensor tensor) {
  const std::string name = fmt::format("c{}", state_->inputs.size());
  state_->inputs.push_back(state_->graph.add_constant(name, std::move(tensor)));
  return *this;
}

OneNode& OneNode::domain(const std::string& name) {
  state_->proto.set_domain(name);
  return *this;
}

OneNode& OneNode::stored(Stored how) {
  state_->graph.value(state_->inputs.back()).stored = how;
  return *this;
}

OneNode& OneNode::left_out() {
  state_->inputs.push_back(kNoValue);
  return *this;
}

namespace {

onnx::AttributeProto* add(onnx::NodeProto& proto, const std::string& name,
                          onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto* attribute = proto.add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

}  // namespace

OneNode& OneNode::attr(const std::string& name, int64_t value) {
  add(state_->proto, name, onnx::AttributeProto::INT)->set_i(value);
  return *this;
}

OneNode& OneNode::attr(const std::string& name, float value) {
  add(state_->proto, name, onnx::AttributeProto::FLOAT)->set_f(value);
  return *this;
}

OneNode& OneNode::attr(const std::string& name, const char* value) {
  add(state_->proto, name, onnx::AttributeProto::STRING)->set_s(value);
  return *this;
}

OneNode& OneNode::attrs(const std::string& name, std::vector<int64_t> values) {
  auto* attribute = add(state_->proto, name, onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute->add_ints(value);
  return *this;
}

OneNode& OneNode::attr_floats(const std::string& name, std::vector<float> values) {
  auto* attribute = add(state_->proto, name, onnx::AttributeProto::FLOATS);
  for (float value : values) attribute->add_floats(value);
  return *this;
}

OneNode& OneNode::outputs(int count) {
  for (int i = 1; i < count; ++i) state_->proto.add_output(fmt::format("y{}", i));
  return *this;
}

Imported OneNode::import(const Evaluator& evaluate) const {
  Imported result{state_->graph, {}};
  NodeImporter importer(result.graph, state_->proto, state_->opset, state_->inputs, evaluate);
  find_onnx_op(state_->proto.op_type(), state_->proto.domain())->import(importer);
  importer.check_attributes_read();
  result.outputs = importer.outputs();
  result.graph.outputs = importer.outputs();
  check_graph(result.graph, "import");
  return result;
}

std::string OneNode::refusal() const {
  try {
    import();
  } catch (const CompileError& error) {
    return error.what();
  }
  return "";
}

}  // namespace bantam::tests
