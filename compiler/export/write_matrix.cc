// Matrix products and LayerNorm.
#include "export/onnx_builder.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

void write_fully_connected(OnnxBuilder& builder, const Node& node) {
  const Graph& graph = builder.graph();
  const std::string x = builder.name(node.inputs[0], Form::kPlain);
  const bool biased = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  const std::string bias = biased ? builder.name(node.inputs[2], Form::kPlain) : "";
  if (graph.shape(node.inputs[0]).size() == 2) {
    const std::string w = builder.name(node.inputs[1], Form::kPlain);
    set_attribute(builder.add("Gemm", node, {x, w, bias}, Form::kPlain), "transB", int64_t{1});
    return;
  }
  const Value& weights = graph.value(node.inputs[1]);
  const std::string w = builder.initializer(weights.name, permuted(*weights.constant, {1, 0}));
  if (!biased) {
    builder.add("MatMul", node, {x, w}, Form::kPlain);
    return;
  }
  builder.add("Add", node, {builder.add_inner("MatMul", node, {x, w}), bias}, Form::kPlain);
}

void write_mat_mul(OnnxBuilder& builder, const Node& node) {
  std::string b = builder.name(node.inputs[1], Form::kPlain);
  if (node.attrs<plan::MatMulT>().transpose_b) {
    const size_t rank = builder.graph().shape(node.inputs[1]).size();
    std::vector<int64_t> perm(rank);
    for (size_t i = 0; i < rank; ++i) perm[i] = static_cast<int64_t>(i);
    std::swap(perm[rank - 1], perm[rank - 2]);
    b = builder.add_transpose(node, b, perm);
  }
  builder.add("MatMul", node, {builder.name(node.inputs[0], Form::kPlain), b}, Form::kPlain);
}

void write_layer_norm(OnnxBuilder& builder, const Node& node) {
  const Shape& x = builder.graph().shape(node.inputs[0]);
  const auto& norm = node.attrs<plan::LayerNormT>();
  std::vector<std::string> inputs = {builder.name(node.inputs[0], Form::kPlain)};
  for (size_t i = 1; i < 3; ++i) {
    const bool given = i < node.inputs.size() && node.inputs[i] != kNoValue;
    inputs.push_back(given ? builder.name(node.inputs[i], Form::kPlain) : "");
  }
  if (inputs[1].empty()) {
    Tensor ones(TensorType{DType::kFloat32, {x.end() - norm.axes, x.end()}});
    for (float& one : ones.as<float>()) one = 1.0f;
    inputs[1] = builder.initializer(node.name + "_scale", ones);
  }
  onnx::NodeProto& proto = builder.add("LayerNormalization", node, inputs, Form::kPlain);
  set_attribute(proto, "axis", -static_cast<int64_t>(norm.axes));
  set_attribute(proto, "epsilon", norm.epsilon);
}

}  // namespace

void write_matrix(OnnxBuilder& builder, const Node& node) {
  if (node.code == OpCode::kFullyConnected) return write_fully_connected(builder, node);
  if (node.code == OpCode::kMatMul) return write_mat_mul(builder, node);
  write_layer_norm(builder, node);
}

}  // namespace bantam::compiler
