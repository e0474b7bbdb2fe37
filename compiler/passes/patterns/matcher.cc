#include <algorithm>
#include <cmath>

#include "passes/patterns/patterns.h"

namespace bantam::compiler {

bool near(float a, float b) { return std::fabs(a - b) <= 1e-4f * std::max(std::fabs(a), std::fabs(b)); }

Node* Matcher::producer(ValueId id) {
  const int index = id == kNoValue ? -1 : uses_.producer[static_cast<size_t>(id)];
  return index < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(index)];
}

Node* Matcher::unary(ValueId id, plan::UnaryKind kind) {
  Node* node = producer(id);
  return node != nullptr && node->code == OpCode::kUnary && node->attrs<plan::UnaryT>().kind == kind
             ? node
             : nullptr;
}

Node* Matcher::binary(ValueId id, plan::BinaryKind kind) {
  Node* node = producer(id);
  return node != nullptr && node->code == OpCode::kBinary && node->attrs<plan::BinaryT>().kind == kind
             ? node
             : nullptr;
}

std::optional<float> Matcher::scalar(ValueId id) const {
  if (!graph_.is_constant(id) || graph_.dtype(id) != DType::kFloat32) return std::nullopt;
  const std::span<const float> data = graph_.constant(id).as<float>();
  if (data.empty() || !std::all_of(data.begin(), data.end(), [&](float x) { return x == data[0]; }))
    return std::nullopt;
  return data[0];
}

ValueId Matcher::other_than_scalar(const Node& node, float value) const {
  for (int i = 0; i < 2; ++i) {
    const auto s = scalar(node.inputs[static_cast<size_t>(i)]);
    if (s && near(*s, value)) return node.inputs[static_cast<size_t>(1 - i)];
  }
  return kNoValue;
}

void Matcher::become_unary(Node& node, ValueId x, plan::UnaryKind kind, float alpha, float beta) {
  plan::UnaryT attributes;
  attributes.kind = kind;
  attributes.alpha = alpha;
  attributes.beta = beta;
  node.code = OpCode::kUnary;
  node.inputs = {x};
  node.attributes = attributes;
}

}  // namespace bantam::compiler
