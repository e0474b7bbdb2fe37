// Functions of single elements and of pairs.
#include <array>
#include <cmath>

#include "export/onnx_builder.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::UnaryKind;

struct Plain {
  UnaryKind kind;
  const char* type;
};
constexpr Plain kPlainOps[] = {
    {UnaryKind::kSigmoid, "Sigmoid"},
    {UnaryKind::kHardSwish, "HardSwish"},
    {UnaryKind::kTanh, "Tanh"},
    {UnaryKind::kSoftplus, "Softplus"},
    {UnaryKind::kErf, "Erf"},
    {UnaryKind::kExp, "Exp"},
    {UnaryKind::kLog, "Log"},
    {UnaryKind::kSqrt, "Sqrt"},
    {UnaryKind::kReciprocal, "Reciprocal"},
    {UnaryKind::kNeg, "Neg"},
    {UnaryKind::kAbs, "Abs"},
    {UnaryKind::kFloor, "Floor"},
    {UnaryKind::kCeil, "Ceil"},
    {UnaryKind::kRound, "Round"},
    {UnaryKind::kNot, "Not"},
    {UnaryKind::kSign, "Sign"},
    {UnaryKind::kSin, "Sin"},
    {UnaryKind::kCos, "Cos"},
    {UnaryKind::kIsNaN, "IsNaN"},
    {UnaryKind::kSoftsign, "Softsign"},
};

// With the attribute alpha, and perhaps a second one.
struct Parametric {
  UnaryKind kind;
  const char* type;
  const char* second;
};
constexpr Parametric kParametricOps[] = {
    {UnaryKind::kLeakyRelu, "LeakyRelu", nullptr},
    {UnaryKind::kElu, "Elu", nullptr},
    {UnaryKind::kSelu, "Selu", "gamma"},
    {UnaryKind::kHardSigmoid, "HardSigmoid", "beta"},
    {UnaryKind::kThresholdedRelu, "ThresholdedRelu", nullptr},
    {UnaryKind::kCelu, "Celu", nullptr},
};

void write_clamp(OnnxBuilder& builder, const Node& node, const std::string& x, Form form) {
  const auto& unary = node.attrs<plan::UnaryT>();
  if (unary.alpha == 0.0f && std::isinf(unary.beta)) {
    builder.add("Relu", node, {x}, form);
    return;
  }
  const auto bound = [&](float value) {
    return std::isinf(value) ? "" : builder.scalar(node.name + "_bound", value);
  };
  builder.add("Clip", node, {x, bound(unary.alpha), bound(unary.beta)}, form);
}

// x * f(...), for what opset 17 has no operator of its own.
void write_composed(OnnxBuilder& builder, const Node& node, const std::string& x, Form form) {
  const auto constant = [&](float value) { return builder.scalar(node.name + "_constant", value); };
  const auto inner = [&](const char* type, std::vector<std::string> inputs) {
    return builder.add_inner(type, node, std::move(inputs));
  };
  const auto mul = [&](const std::string& a, const std::string& b) { return inner("Mul", {a, b}); };
  const auto half_of_one_plus = [&](const std::string& y) {
    return mul(inner("Add", {y, constant(1.0f)}), constant(0.5f));
  };
  switch (node.attrs<plan::UnaryT>().kind) {
    case UnaryKind::kSilu:
      builder.add("Mul", node, {x, inner("Sigmoid", {x})}, form);
      return;
    case UnaryKind::kMish:
      builder.add("Mul", node, {x, inner("Tanh", {inner("Softplus", {x})})}, form);
      return;
    case UnaryKind::kGelu:
      builder.add("Mul", node, {x, half_of_one_plus(inner("Erf", {mul(x, constant(0.70710678f))}))}, form);
      return;
    case UnaryKind::kGeluTanh: {
      const std::string cube = mul(mul(mul(x, x), x), constant(0.044715f));
      const std::string argument = mul(inner("Add", {x, cube}), constant(0.79788456f));
      builder.add("Mul", node, {x, half_of_one_plus(inner("Tanh", {argument}))}, form);
      return;
    }
    case UnaryKind::kSquare:
      builder.add("Mul", node, {x, x}, form);
      return;
    case UnaryKind::kRsqrt:
      builder.add("Reciprocal", node, {inner("Sqrt", {x})}, form);
      return;
    default:
      fail_to_write(node, "its function is no ONNX operator");
  }
}

void write_unary(OnnxBuilder& builder, const Node& node) {
  const auto& unary = node.attrs<plan::UnaryT>();
  const Form form = natural_form(builder, node);
  const std::string x = builder.name(node.inputs[0], form);
  if (unary.kind == UnaryKind::kClamp) return write_clamp(builder, node, x, form);
  for (const Plain& op : kPlainOps) {
    if (op.kind != unary.kind) continue;
    builder.add(op.type, node, {x}, form);
    return;
  }
  for (const Parametric& op : kParametricOps) {
    if (op.kind != unary.kind) continue;
    onnx::NodeProto& proto = builder.add(op.type, node, {x}, form);
    set_attribute(proto, "alpha", unary.alpha);
    if (op.second != nullptr) set_attribute(proto, op.second, unary.beta);
    return;
  }
  write_composed(builder, node, x, form);
}

constexpr std::array<const char*, 18> kBinaryTypes = {"Add",
                                                      "Sub",
                                                      "Mul",
                                                      "Div",
                                                      "Min",
                                                      "Max",
                                                      "Pow",
                                                      "PRelu",
                                                      "Equal",
                                                      "Less",
                                                      "LessOrEqual",
                                                      "Greater",
                                                      "GreaterOrEqual",
                                                      "And",
                                                      "Or",
                                                      "Xor",
                                                      "Mod",
                                                      "Mod"};

// Constants of fewer dimensions get leading ones before they become planar.
std::string operand(OnnxBuilder& builder, ValueId id, Form form) {
  const Graph& graph = builder.graph();
  const size_t rank = graph.shape(id).size();
  if (form == Form::kPlain || rank == 4 || rank == 0)
    return builder.name(id, rank == 0 ? Form::kPlain : form);
  Tensor tensor = graph.constant(id);
  tensor.type.shape.insert(tensor.type.shape.begin(), 4 - rank, 1);
  return builder.initializer(graph.value(id).name, permuted(tensor, {0, 3, 1, 2}));
}

void write_with_operands(OnnxBuilder& builder, const Node& node, const char* type, bool fmod) {
  const Form form = natural_form(builder, node);
  std::vector<std::string> inputs;
  for (ValueId id : node.inputs) inputs.push_back(operand(builder, id, form));
  onnx::NodeProto& proto = builder.add(type, node, inputs, form);
  if (fmod) set_attribute(proto, "fmod", int64_t{1});
}

}  // namespace

void write_elementwise(OnnxBuilder& builder, const Node& node) {
  switch (node.code) {
    case OpCode::kUnary:
      return write_unary(builder, node);
    case OpCode::kBinary: {
      const auto& binary = node.attrs<plan::BinaryT>();
      if (binary.clamp != nullptr) fail_to_write(node, "a clamp is fused into it");
      return write_with_operands(builder, node, kBinaryTypes.at(static_cast<size_t>(binary.kind)),
                                 binary.kind == BinaryKind::kFmod);
    }
    case OpCode::kWhere:
      return write_with_operands(builder, node, "Where", false);
    case OpCode::kCast: {
      const Form form = natural_form(builder, node);
      onnx::NodeProto& proto = builder.add("Cast", node, {builder.name(node.inputs[0], form)}, form);
      return set_attribute(proto, "to", int64_t{onnx_dtype(builder.graph().dtype(node.outputs[0]))});
    }
    default: {
      const Form form = natural_form(builder, node);
      builder.add("Identity", node, {builder.name(node.inputs[0], form)}, form);
    }
  }
}

}  // namespace bantam::compiler
