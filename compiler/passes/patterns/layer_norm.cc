#include "passes/patterns/patterns.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::ReduceKind;
using plan::UnaryKind;

// The mean over the last axis that `id` is: its input, or kNoValue.
ValueId mean_over_last(Matcher& match, const Graph& graph, ValueId id) {
  const Node* reduce = match.producer(id);
  if (reduce == nullptr || reduce->code != OpCode::kReduce) return kNoValue;
  const auto& a = reduce->attrs<plan::ReduceT>();
  const int last = static_cast<int>(graph.shape(reduce->inputs[0]).size()) - 1;
  const bool suits = a.kind == ReduceKind::kMean && a.keep_dims && a.axes.size() == 1 && a.axes[0] == last;
  return suits ? reduce->inputs[0] : kNoValue;
}

// x where `id` is x - mean(x); PyTorch writes the subtraction once, some exporters twice.
ValueId centered(Matcher& match, const Graph& graph, ValueId id) {
  const Node* sub = match.binary(id, BinaryKind::kSub);
  if (sub == nullptr) return kNoValue;
  return mean_over_last(match, graph, sub->inputs[1]) == sub->inputs[0] ? sub->inputs[0] : kNoValue;
}

bool is_square_of(Matcher& match, ValueId id, ValueId centre, const Graph& graph, ValueId x) {
  const auto same = [&](ValueId v) { return v == centre || centered(match, graph, v) == x; };
  if (const Node* pow = match.binary(id, BinaryKind::kPow)) {
    const auto exponent = match.scalar(pow->inputs[1]);
    return exponent && *exponent == 2.0f && same(pow->inputs[0]);
  }
  if (const Node* mul = match.binary(id, BinaryKind::kMul))
    return same(mul->inputs[0]) && same(mul->inputs[1]);
  const Node* square = match.unary(id, UnaryKind::kSquare);
  return square != nullptr && same(square->inputs[0]);
}

// sqrt(mean((x - mean)^2) + epsilon): epsilon, when `id` is that.
std::optional<float> deviation(Matcher& match, const Graph& graph, ValueId id, ValueId centre, ValueId x) {
  const Node* sqrt = match.unary(id, UnaryKind::kSqrt);
  const Node* add = sqrt == nullptr ? nullptr : match.binary(sqrt->inputs[0], BinaryKind::kAdd);
  if (add == nullptr) return std::nullopt;
  for (size_t i = 0; i < 2; ++i) {
    const auto epsilon = match.scalar(add->inputs[i]);
    const ValueId squares = mean_over_last(match, graph, add->inputs[1 - i]);
    if (epsilon && squares != kNoValue && is_square_of(match, squares, centre, graph, x)) return epsilon;
  }
  return std::nullopt;
}

bool is_vector(const Graph& graph, ValueId id, int64_t size) {
  return graph.is_constant(id) && graph.shape(id) == Shape{size};
}

// A reader of `id` that applies a constant vector: its operand, or kNoValue.
ValueId vector_operand(const Graph& graph, const Node& node, ValueId id, int64_t size) {
  for (size_t i = 0; i < 2; ++i) {
    if (node.inputs[i] == id && is_vector(graph, node.inputs[1 - i], size)) return node.inputs[1 - i];
  }
  return kNoValue;
}

void become_layer_norm(Node& node, ValueId x, float epsilon, ValueId scale, ValueId bias) {
  plan::LayerNormT attributes;
  attributes.axes = 1;
  attributes.epsilon = epsilon;
  node.code = OpCode::kLayerNorm;
  node.inputs = {x};
  if (scale != kNoValue || bias != kNoValue) node.inputs.push_back(scale);
  if (bias != kNoValue) node.inputs.push_back(bias);
  node.attributes = attributes;
}

}  // namespace

void match_layer_norm(Graph& graph) {
  Matcher match(graph);
  const Uses uses(graph);
  for (Node& node : graph.nodes) {
    if (node.code != OpCode::kBinary || node.attrs<plan::BinaryT>().kind != BinaryKind::kDiv) continue;
    const ValueId x = centered(match, graph, node.inputs[0]);
    const auto epsilon =
        x == kNoValue ? std::nullopt : deviation(match, graph, node.inputs[1], node.inputs[0], x);
    if (!epsilon) continue;
    // Scale and bias follow in the usual case; without them it is a LayerNorm all the same.
    const int64_t size = graph.shape(x).back();
    Node* last = &node;
    ValueId scale = kNoValue;
    ValueId bias = kNoValue;
    const auto next = [&](BinaryKind kind) -> ValueId {
      const int reader = uses.sole_reader(graph, last->outputs[0]);
      if (reader < 0) return kNoValue;
      Node& candidate = graph.nodes[static_cast<size_t>(reader)];
      if (match.binary(candidate.outputs[0], kind) == nullptr) return kNoValue;
      const ValueId operand = vector_operand(graph, candidate, last->outputs[0], size);
      if (operand != kNoValue) last = &candidate;
      return operand;
    };
    scale = next(BinaryKind::kMul);
    bias = next(BinaryKind::kAdd);
    become_layer_norm(*last, x, *epsilon, scale, bias);
  }
}

}  // namespace bantam::compiler
