// One function per family of patterns; each replaces the last node of every match by the op it amounts to and
// leaves the rest for dead code removal. NCHW graphs (before channels_last).
#pragma once

#include <optional>

#include "ir/graph.h"

namespace bantam::compiler {

void match_hard_sigmoid(Graph& graph);       // clip(x + 3, 0, 6) / 6
void match_gated_activations(Graph& graph);  // x * sigmoid(x), x * hard_sigmoid(x), x * tanh(softplus(x))
void match_gelu(Graph& graph);  // x * 0.5 * (1 + erf(x / sqrt 2)) in its orders, and the tanh form
void match_dynamic_quantization(Graph& graph);  // layers of DynamicQuantizeLinear
void match_layer_norm(Graph& graph);  // (x - mean) / sqrt(var + eps) * scale + bias over the last axis

// What matchers ask of a graph.
class Matcher {
 public:
  explicit Matcher(Graph& graph) : graph_(graph), uses_(graph) {}

  // The node that makes `id` when it is a Unary or Binary of that kind, else null.
  Node* unary(ValueId id, plan::UnaryKind kind);
  Node* binary(ValueId id, plan::BinaryKind kind);
  Node* producer(ValueId id);
  // The value of a constant that holds one float everywhere.
  std::optional<float> scalar(ValueId id) const;
  // For a commutative binary: its other operand, when one of the two is a scalar constant near `value`.
  ValueId other_than_scalar(const Node& node, float value) const;

  static void become_unary(Node& node, ValueId x, plan::UnaryKind kind, float alpha = 0, float beta = 0);

 private:
  Graph& graph_;
  Uses uses_;
};

bool near(float a, float b);  // within 1e-4 relative: exporters round their constants

}  // namespace bantam::compiler
