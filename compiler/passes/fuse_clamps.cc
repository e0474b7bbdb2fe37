// A clamp (ReLU, ReLU6, Clip) right after an op that can clamp its own output becomes part of it.
#include <algorithm>
#include <limits>

#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

std::unique_ptr<plan::Clamp>* clamp_of(Node& node) {
  if (auto* conv = std::get_if<plan::Conv2dT>(&node.attributes)) return &conv->clamp;
  if (auto* fc = std::get_if<plan::FullyConnectedT>(&node.attributes)) return &fc->clamp;
  if (auto* fc = std::get_if<plan::NarrowFullyConnectedT>(&node.attributes)) return &fc->clamp;
  if (auto* pool = std::get_if<plan::Pool2dT>(&node.attributes)) return &pool->clamp;
  if (auto* binary = std::get_if<plan::BinaryT>(&node.attributes)) {
    const bool arithmetic = binary->kind <= plan::BinaryKind::kMax;
    return arithmetic ? &binary->clamp : nullptr;
  }
  return nullptr;
}

bool is_clamp(const Graph& graph, const Node& node) {
  return node.code == OpCode::kUnary && node.attrs<plan::UnaryT>().kind == plan::UnaryKind::kClamp &&
         graph.dtype(node.outputs[0]) == DType::kFloat32;
}

}  // namespace

void fuse_clamps(Graph& graph, PassContext&) {
  const Uses uses(graph);
  for (Node& node : graph.nodes) {
    std::unique_ptr<plan::Clamp>* clamp = node.code == OpCode::kNone ? nullptr : clamp_of(node);
    if (clamp == nullptr || graph.dtype(node.outputs[0]) != DType::kFloat32) continue;
    for (int next = uses.sole_reader(graph, node.outputs[0]); next >= 0;
         next = uses.sole_reader(graph, node.outputs[0])) {
      Node& reader = graph.nodes[static_cast<size_t>(next)];
      if (!is_clamp(graph, reader)) break;
      constexpr float kInfinity = std::numeric_limits<float>::infinity();
      const float low = *clamp ? (*clamp)->min() : -kInfinity;
      const float high = *clamp ? (*clamp)->max() : kInfinity;
      const auto& outer = reader.attrs<plan::UnaryT>();
      // min(max(x, alpha), beta) of a value in [low, high]
      const float new_low = std::min(std::max(low, outer.alpha), outer.beta);
      const float new_high = std::min(std::max(high, outer.alpha), outer.beta);
      *clamp = std::make_unique<plan::Clamp>(new_low, new_high, int8_t{-128}, int8_t{127});
      graph.note_fusion(node.name, "'" + reader.name + "' is fused, as a clamp of its output");
      node.outputs[0] = reader.outputs[0];
      reader.code = OpCode::kNone;
      reader.attributes = {};
    }
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.code == OpCode::kNone; });
}

}  // namespace bantam::compiler
