#include <cmath>

#include "passes/patterns/patterns.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::UnaryKind;

// clip(x + 3, 0, 6): x, or kNoValue.
ValueId shifted_relu6(Matcher& match, ValueId id) {
  const Node* clip = match.unary(id, UnaryKind::kClamp);
  if (clip == nullptr) return kNoValue;
  const auto& bounds = clip->attrs<plan::UnaryT>();
  if (bounds.alpha != 0.0f || bounds.beta != 6.0f) return kNoValue;
  const Node* add = match.binary(clip->inputs[0], BinaryKind::kAdd);
  return add == nullptr ? kNoValue : match.other_than_scalar(*add, 3.0f);
}

ValueId hard_sigmoid_of(Matcher& match, const Node& node) {
  if (node.code != OpCode::kBinary) return kNoValue;
  const auto& binary = node.attrs<plan::BinaryT>();
  if (binary.kind == BinaryKind::kDiv) {
    const auto divisor = match.scalar(node.inputs[1]);
    return divisor && near(*divisor, 6.0f) ? shifted_relu6(match, node.inputs[0]) : kNoValue;
  }
  if (binary.kind != BinaryKind::kMul) return kNoValue;
  const ValueId clipped = match.other_than_scalar(node, 1.0f / 6.0f);
  return clipped == kNoValue ? kNoValue : shifted_relu6(match, clipped);
}

bool is_hard_sigmoid(Matcher& match, ValueId gate, ValueId x) {
  const Node* node = match.unary(gate, UnaryKind::kHardSigmoid);
  if (node == nullptr || node->inputs[0] != x) return false;
  const auto& a = node->attrs<plan::UnaryT>();
  return near(a.alpha, 1.0f / 6.0f) && near(a.beta, 0.5f);
}

bool is_mish_gate(Matcher& match, ValueId gate, ValueId x) {
  const Node* tanh = match.unary(gate, UnaryKind::kTanh);
  const Node* softplus = tanh == nullptr ? nullptr : match.unary(tanh->inputs[0], UnaryKind::kSoftplus);
  return softplus != nullptr && softplus->inputs[0] == x;
}

// x * clip(x + 3, 0, 6) / 6: the division comes last in some exports.
ValueId hard_swish_divided_last(Matcher& match, const Node& node) {
  if (node.code != OpCode::kBinary) return kNoValue;
  const BinaryKind kind = node.attrs<plan::BinaryT>().kind;
  ValueId product = kNoValue;
  if (kind == BinaryKind::kDiv) {
    const auto divisor = match.scalar(node.inputs[1]);
    if (divisor && near(*divisor, 6.0f)) product = node.inputs[0];
  } else if (kind == BinaryKind::kMul) {
    product = match.other_than_scalar(node, 1.0f / 6.0f);
  }
  const Node* mul = product == kNoValue ? nullptr : match.binary(product, BinaryKind::kMul);
  if (mul == nullptr) return kNoValue;
  for (int i = 0; i < 2; ++i) {
    const ValueId x = mul->inputs[static_cast<size_t>(i)];
    if (shifted_relu6(match, mul->inputs[static_cast<size_t>(1 - i)]) == x) return x;
  }
  return kNoValue;
}

}  // namespace

void match_hard_sigmoid(Graph& graph) {
  Matcher match(graph);
  for (Node& node : graph.nodes) {
    if (const ValueId x = hard_swish_divided_last(match, node); x != kNoValue) {
      Matcher::become_unary(node, x, UnaryKind::kHardSwish);
    } else if (const ValueId y = hard_sigmoid_of(match, node); y != kNoValue) {
      Matcher::become_unary(node, y, UnaryKind::kHardSigmoid, 1.0f / 6.0f, 0.5f);
    }
  }
}

void match_gated_activations(Graph& graph) {
  Matcher match(graph);
  for (Node& node : graph.nodes) {
    if (node.code != OpCode::kBinary || node.attrs<plan::BinaryT>().kind != BinaryKind::kMul) continue;
    for (size_t i = 0; i < 2; ++i) {
      const ValueId x = node.inputs[i];
      const ValueId gate = node.inputs[1 - i];
      const Node* sigmoid = match.unary(gate, UnaryKind::kSigmoid);
      UnaryKind kind;
      if (sigmoid != nullptr && sigmoid->inputs[0] == x) {
        kind = UnaryKind::kSilu;
      } else if (is_hard_sigmoid(match, gate, x)) {
        kind = UnaryKind::kHardSwish;
      } else if (is_mish_gate(match, gate, x)) {
        kind = UnaryKind::kMish;
      } else {
        continue;
      }
      Matcher::become_unary(node, x, kind);
      break;
    }
  }
}

}  // namespace bantam::compiler
