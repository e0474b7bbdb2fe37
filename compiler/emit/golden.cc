#include "emit/golden.h"

#include <algorithm>

#include "bantam/compiler/error.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

// Whether equal inputs give equal bits on every machine.
bool is_exact(const Graph& graph, const Node& node) {
  if (graph.value(node.outputs[0]).half) return false;
  const DType dtype = graph.dtype(node.outputs[0]);
  if (dtype != DType::kFloat32 && dtype != DType::kFloat16) return true;
  switch (node.code) {
    case OpCode::kDequantize:      // one rounding
    case OpCode::kNormalizeImage:  // a table
    case OpCode::kMaxPool2d:
    case OpCode::kWhere:
    case OpCode::kConcat:
    case OpCode::kSlice:
    case OpCode::kPad:
    case OpCode::kTranspose:
    case OpCode::kReshape:
    case OpCode::kTile:
    case OpCode::kExpand:
    case OpCode::kGather:
    case OpCode::kCopy:
      return true;
    case OpCode::kUnary:
      return node.attrs<plan::UnaryT>().kind == plan::UnaryKind::kClamp;
    default:
      return false;
  }
}

// The value that a node makes and whose elements `id` holds: share_memory leaves values that no node makes,
// views of the one that was reshaped or, for a graph output, its base.
ValueId made_value(const Graph& graph, const Uses& uses, ValueId id) {
  if (uses.producer[static_cast<size_t>(id)] >= 0) return id;
  if (graph.value(id).view) return made_value(graph, uses, graph.value(id).view->base);
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const auto& view = graph.values[v].view;
    if (view && view->base == id && uses.producer[v] >= 0) return static_cast<ValueId>(v);
  }
  return id;
}

}  // namespace

GoldenHashes compute_golden(const Graph& graph, const std::vector<std::byte>& plan,
                            const PlanRunnerFactory& runner) {
  if (!runner) return {};
  const std::unique_ptr<PlanRunner> loaded = runner(plan);
  GoldenHashes golden;
  try {
    golden = loaded->golden();
  } catch (const InternalError&) {
    return {};  // random data that a Gather refuses as indices: such a plan goes without
  }
  const Uses uses(graph);
  std::vector<bool> inexact(graph.values.size(), false);
  const auto is_inexact = [&](ValueId id) {
    return id != kNoValue && inexact[static_cast<size_t>(made_value(graph, uses, id))];
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const bool tainted = std::any_of(node.inputs.begin(), node.inputs.end(), is_inexact);
    if (!tainted && is_exact(graph, node)) continue;
    inexact[static_cast<size_t>(node.outputs[0])] = true;
    golden.ops.at(i) = 0;
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    if (is_inexact(graph.outputs[i])) golden.outputs.at(i) = 0;
  }
  return golden;
}

}  // namespace bantam::compiler
