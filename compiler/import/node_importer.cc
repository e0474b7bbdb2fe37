#include "import/node_importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "bantam/compiler/error.h"
#include "import/onnx_tensor.h"
#include "onnx/onnx.pb.h"
#include "ops/op_def.h"
#include "plan_format.h"

namespace bantam::compiler {
namespace {

using onnx::AttributeProto;

// A constant that is much larger than what it is computed from is left to be computed at run time.
constexpr int64_t kLargestGrownConstant = int64_t{1} << 24;  // elements

const char* kind_name(int type) {
  switch (type) {
    case AttributeProto::FLOAT:
      return "a float";
    case AttributeProto::INT:
      return "an int";
    case AttributeProto::STRING:
      return "a string";
    case AttributeProto::TENSOR:
      return "a tensor";
    case AttributeProto::FLOATS:
      return "floats";
    case AttributeProto::INTS:
      return "ints";
    default:
      return "of another type";
  }
}

}  // namespace

NodeImporter::NodeImporter(Graph& graph, const onnx::NodeProto& proto, int opset, std::vector<ValueId> inputs,
                           const Evaluator& evaluate)
    : graph_(graph), proto_(proto), opset_(opset), inputs_(std::move(inputs)), evaluate_(evaluate) {
  name_ = proto.name();
  for (int i = 0; name_.empty() && i < proto.output_size(); ++i) name_ = proto.output(i);
  while (!inputs_.empty() && inputs_.back() == kNoValue) inputs_.pop_back();
}

const std::string& NodeImporter::type() const { return proto_.op_type(); }

int NodeImporter::output_count() const {
  int count = proto_.output_size();
  while (count > 0 && proto_.output(count - 1).empty()) --count;
  return count;
}

bool NodeImporter::has_input(int i) const {
  return i >= 0 && i < input_count() && inputs_[static_cast<size_t>(i)] != kNoValue;
}

ValueId NodeImporter::input(int i) const {
  if (!has_input(i)) fail(fmt::format("input {} is missing", i));
  return inputs_[static_cast<size_t>(i)];
}

TensorType NodeImporter::type_of(ValueId id) const { return graph_.value(id).type; }
const Shape& NodeImporter::shape_of(ValueId id) const { return graph_.shape(id); }
bool NodeImporter::is_constant(ValueId id) const { return graph_.is_constant(id); }
const Tensor& NodeImporter::constant_of(ValueId id) const { return graph_.constant(id); }
const std::string& NodeImporter::name_of(ValueId id) const { return graph_.value(id).name; }
const std::optional<Stored>& NodeImporter::stored_of(ValueId id) const { return graph_.value(id).stored; }
void NodeImporter::set_stored(ValueId id, const Stored& stored) { graph_.value(id).stored = stored; }
void NodeImporter::set_quantization(ValueId id, Quantization quantization) {
  graph_.value(id).quantization = std::move(quantization);
}

const Tensor& NodeImporter::constant(int i, std::string_view what) const {
  const ValueId id = input(i);
  if (!is_constant(id)) {
    fail(fmt::format("{} (input '{}') is computed at run time; it must follow from constants and shapes",
                     what, graph_.value(id).name));
  }
  return constant_of(id);
}

const AttributeProto* NodeImporter::find(std::string_view attr) {
  read_.emplace(attr);
  for (const AttributeProto& candidate : proto_.attribute()) {
    if (candidate.name() == attr) return &candidate;
  }
  return nullptr;
}

namespace {

// Files older than IR version 3 may leave out the type field.
bool is_kind(const AttributeProto& attr, int type) {
  return attr.type() == type || attr.type() == AttributeProto::UNDEFINED;
}

}  // namespace

void NodeImporter::expect_kind(const AttributeProto& attr, int type) const {
  if (!attr.ref_attr_name().empty()) fail(fmt::format("attribute {} refers to a function's", attr.name()));
  if (is_kind(attr, type)) return;
  fail(
      fmt::format("attribute {} is {}, it must be {}", attr.name(), kind_name(attr.type()), kind_name(type)));
}

bool NodeImporter::has_attr(std::string_view attr) { return find(attr) != nullptr; }

int64_t NodeImporter::attr_int(std::string_view attr, int64_t otherwise) {
  const AttributeProto* found = find(attr);
  if (found == nullptr) return otherwise;
  expect_kind(*found, AttributeProto::INT);
  return found->i();
}

float NodeImporter::attr_float(std::string_view attr, float otherwise) {
  const AttributeProto* found = find(attr);
  if (found == nullptr) return otherwise;
  expect_kind(*found, AttributeProto::FLOAT);
  return found->f();
}

std::string NodeImporter::attr_string(std::string_view attr, std::string_view otherwise) {
  const AttributeProto* found = find(attr);
  if (found == nullptr) return std::string(otherwise);
  expect_kind(*found, AttributeProto::STRING);
  return found->s();
}

std::vector<int64_t> NodeImporter::attr_ints(std::string_view attr, std::vector<int64_t> otherwise) {
  const AttributeProto* found = find(attr);
  if (found == nullptr) return otherwise;
  expect_kind(*found, AttributeProto::INTS);
  return {found->ints().begin(), found->ints().end()};
}

std::vector<float> NodeImporter::attr_floats(std::string_view attr, std::vector<float> otherwise) {
  const AttributeProto* found = find(attr);
  if (found == nullptr) return otherwise;
  expect_kind(*found, AttributeProto::FLOATS);
  return {found->floats().begin(), found->floats().end()};
}

std::optional<Tensor> NodeImporter::attr_tensor(std::string_view attr) {
  const AttributeProto* found = find(attr);
  if (found == nullptr) return std::nullopt;
  expect_kind(*found, AttributeProto::TENSOR);
  try {
    return tensor_from_onnx(found->t(), {});
  } catch (const CompileError& error) {
    fail(fmt::format("attribute {}: {}", attr, error.what()));
  }
}

std::optional<std::vector<int64_t>> NodeImporter::ints_from_input_or_attr(int i, std::string_view attr) {
  if (has_attr(attr)) return attr_ints(attr);
  if (!has_input(i)) return std::nullopt;
  return ints_of(constant(i, attr), attr);
}

std::vector<int64_t> NodeImporter::ints_of(const Tensor& tensor, std::string_view what) const {
  const bool integers = tensor.type.dtype == DType::kInt64 || tensor.type.dtype == DType::kInt32;
  if (!integers || tensor.type.shape.size() > 1) {
    fail(fmt::format("{} is {}, it must be a list of int64", what, to_string(tensor.type)));
  }
  return tensor.to_int64();
}

ValueId NodeImporter::emit(OpCode code, std::vector<ValueId> inputs, Attributes attributes,
                           std::optional<TensorType> type) {
  Node node{code, name_, std::move(inputs), {}, std::move(attributes)};
  if (type) check_type(*type);
  const ValueId out =
      graph_.add_value(fmt::format("{}:{}", name_, graph_.values.size()), type.value_or(TensorType{}));
  node.outputs.push_back(out);
  graph_.value(out).type = infer(node);
  const int64_t elements = element_count(graph_.shape(out));
  if (elements == 0) {
    graph_.value(out).constant = std::make_shared<const Tensor>(graph_.value(out).type);
    return out;
  }
  for (ValueId id : node.inputs) {
    if (id != kNoValue && element_count(graph_.shape(id)) == 0) {
      fail(fmt::format("input '{}' has no elements ({})", graph_.value(id).name,
                       to_string(graph_.value(id).type)));
    }
  }
  if (!fold(node)) graph_.nodes.push_back(std::move(node));
  return out;
}

// The type by the op's rule; its message names the operator as the model has it.
TensorType NodeImporter::infer(const Node& node) const {
  try {
    TensorType type = op_def(node.code).infer(graph_, node);
    check_type(type);
    return type;
  } catch (const CompileError& error) {
    const std::string text = error.what();
    const std::string prefix = fmt::format("{} node '{}': ", op_def(node.code).name, name_);
    const std::string own = fmt::format("{} node '{}': ", type(), name_);
    if (text.starts_with(own)) throw;
    fail(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
  }
}

void NodeImporter::check_type(const TensorType& type) const {
  if (type.shape.size() > static_cast<size_t>(kMaxRank)) {
    fail(fmt::format("a result of {} dimensions; bantam goes up to {}", type.shape.size(), kMaxRank));
  }
  int64_t elements = 1;
  for (int64_t dim : type.shape) {
    if (dim < 0 || dim > std::numeric_limits<int32_t>::max())
      fail(fmt::format("a result with a dimension {}", dim));
    elements *= dim;
    if (elements > std::numeric_limits<int32_t>::max()) {
      fail(fmt::format("a result of {}: more than 2^31 elements", to_string(type)));
    }
  }
}

// Computes the node now when everything it needs is known; true: its output is a constant.
bool NodeImporter::fold(const Node& node) {
  int64_t source_elements = kLargestGrownConstant;
  for (ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    if (!graph_.is_constant(id)) return false;
    source_elements += element_count(graph_.shape(id));
  }
  Value& out = graph_.value(node.outputs[0]);
  if (element_count(out.type.shape) > source_elements) return false;
  if (node.code == OpCode::kReshape) {
    out.constant = std::make_shared<const Tensor>(reshaped(graph_.constant(node.inputs[0]), out.type.shape));
    return true;
  }
  if (node.code == OpCode::kTranspose) {
    const auto& perm = node.attrs<plan::TransposeT>().perm;
    out.constant =
        std::make_shared<const Tensor>(permuted(graph_.constant(node.inputs[0]), {perm.begin(), perm.end()}));
    return true;
  }
  // The evaluator runs plans, whose spatial ops are NHWC.
  if (!evaluate_ || (op_def(node.code).spatial && graph_.layout == Layout::kNchw)) return false;
  std::vector<Tensor> results = evaluate_(graph_, node);
  if (results.empty()) return false;
  if (results[0].type != out.type) {
    throw InternalError(fmt::format("{} node '{}' evaluated to {} instead of {}", type(), name_,
                                    to_string(results[0].type), to_string(out.type)));
  }
  out.constant = std::make_shared<const Tensor>(std::move(results[0]));
  return true;
}

ValueId NodeImporter::constant_value(Tensor tensor) {
  check_type(tensor.type);
  return graph_.add_constant(fmt::format("{}:{}", name_, graph_.values.size()), std::move(tensor));
}

ValueId NodeImporter::unary(plan::UnaryKind kind, ValueId x, float alpha, float beta) {
  plan::UnaryT attributes;
  attributes.kind = kind;
  attributes.alpha = alpha;
  attributes.beta = beta;
  return emit(OpCode::kUnary, {x}, attributes);
}

ValueId NodeImporter::binary(plan::BinaryKind kind, ValueId a, ValueId b) {
  plan::BinaryT attributes;
  attributes.kind = kind;
  return emit(OpCode::kBinary, {a, b}, attributes);
}

ValueId NodeImporter::reshape(ValueId x, Shape shape) {
  if (shape_of(x) == shape) return x;
  return emit(OpCode::kReshape, {x}, {}, TensorType{type_of(x).dtype, std::move(shape)});
}

ValueId NodeImporter::transpose(ValueId x, std::vector<int> perm) {
  std::vector<int> identity(static_cast<size_t>(rank_of(x)));
  std::iota(identity.begin(), identity.end(), 0);
  if (perm == identity) return x;
  plan::TransposeT attributes;
  attributes.perm = std::move(perm);
  return emit(OpCode::kTranspose, {x}, attributes);
}

ValueId NodeImporter::cast(ValueId x, DType dtype) {
  if (type_of(x).dtype == dtype) return x;
  return emit(OpCode::kCast, {x}, {}, TensorType{dtype, shape_of(x)});
}

void NodeImporter::output(int i, ValueId value) {
  const size_t index = static_cast<size_t>(i);
  if (outputs_.size() <= index) outputs_.resize(index + 1, kNoValue);
  outputs_[index] = value;
}

int NodeImporter::axis(int64_t value, int rank) const {
  if (value < -rank || value >= rank)
    fail(fmt::format("axis {} of a tensor with {} dimensions", value, rank));
  return static_cast<int>(value < 0 ? value + rank : value);
}

void NodeImporter::fail(const std::string& text) const {
  throw CompileError(fmt::format("{} node '{}': {}", type(), name_, text));
}

void NodeImporter::check_attributes_read() const {
  for (const AttributeProto& attr : proto_.attribute()) {
    if (read_.contains(attr.name())) continue;
    fail(
        fmt::format("attribute {} is not supported by bantam's {} of opset {}", attr.name(), type(), opset_));
  }
}

}  // namespace bantam::compiler
