#include <cmath>
#include <map>
#include <vector>

#include "passes/patterns/patterns.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::UnaryKind;

// A product as a scalar times other factors: multiplications and divisions by scalars are collected wherever
// they stand.
struct Product {
  float scalar = 1.0f;
  std::vector<ValueId> factors;
};

void collect(Matcher& match, ValueId id, Product& product, int depth) {
  if (const auto s = match.scalar(id)) {
    product.scalar *= *s;
    return;
  }
  if (const Node* mul = depth > 0 ? match.binary(id, BinaryKind::kMul) : nullptr) {
    collect(match, mul->inputs[0], product, depth - 1);
    collect(match, mul->inputs[1], product, depth - 1);
    return;
  }
  const Node* div = depth > 0 ? match.binary(id, BinaryKind::kDiv) : nullptr;
  const auto divisor = div == nullptr ? std::nullopt : match.scalar(div->inputs[1]);
  if (divisor) {
    product.scalar /= *divisor;
    collect(match, div->inputs[0], product, depth - 1);
    return;
  }
  product.factors.push_back(id);
}

// 1 + f(...): the argument's node, or null.
const Node* one_plus(Matcher& match, ValueId id, UnaryKind kind) {
  const Node* add = match.binary(id, BinaryKind::kAdd);
  const ValueId inner = add == nullptr ? kNoValue : match.other_than_scalar(*add, 1.0f);
  return inner == kNoValue ? nullptr : match.unary(inner, kind);
}

bool is_erf_gate(Matcher& match, ValueId gate, ValueId x) {
  const Node* erf = one_plus(match, gate, UnaryKind::kErf);
  if (erf == nullptr) return false;
  Product argument;
  collect(match, erf->inputs[0], argument, 3);
  return argument.factors == std::vector<ValueId>{x} && near(argument.scalar, std::sqrt(0.5f));
}

bool is_cube(Matcher& match, ValueId id, ValueId x) {
  const Node* pow = match.binary(id, BinaryKind::kPow);
  const auto exponent = pow == nullptr ? std::nullopt : match.scalar(pow->inputs[1]);
  return exponent && *exponent == 3.0f && pow->inputs[0] == x;
}

// sqrt(2 / pi) * (x + 0.044715 x^3)
bool is_tanh_gate(Matcher& match, ValueId gate, ValueId x) {
  const Node* tanh = one_plus(match, gate, UnaryKind::kTanh);
  if (tanh == nullptr) return false;
  Product outer;
  collect(match, tanh->inputs[0], outer, 3);
  if (outer.factors.size() != 1 || !near(outer.scalar, 0.79788456f)) return false;
  const Node* add = match.binary(outer.factors[0], BinaryKind::kAdd);
  if (add == nullptr) return false;
  for (size_t i = 0; i < 2; ++i) {
    if (add->inputs[i] != x) continue;
    Product cubic;
    collect(match, add->inputs[1 - i], cubic, 4);
    const bool cube = (cubic.factors.size() == 1 && is_cube(match, cubic.factors[0], x)) ||
                      cubic.factors == std::vector<ValueId>{x, x, x};
    if (cube && near(cubic.scalar, 0.044715f)) return true;
  }
  return false;
}

}  // namespace

void match_gelu(Graph& graph) {
  Matcher match(graph);
  for (Node& node : graph.nodes) {
    if (node.code != OpCode::kBinary || node.attrs<plan::BinaryT>().kind != BinaryKind::kMul) continue;
    Product product;
    collect(match, node.outputs[0], product, 4);
    if (product.factors.size() != 2 || !near(product.scalar, 0.5f)) continue;
    for (size_t i = 0; i < 2; ++i) {
      const ValueId x = product.factors[i];
      const ValueId gate = product.factors[1 - i];
      if (is_erf_gate(match, gate, x)) {
        Matcher::become_unary(node, x, UnaryKind::kGelu);
        break;
      }
      if (is_tanh_gate(match, gate, x)) {
        Matcher::become_unary(node, x, UnaryKind::kGeluTanh);
        break;
      }
    }
  }
}

}  // namespace bantam::compiler
