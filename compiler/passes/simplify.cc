// What does nothing goes: identities, nodes computed twice, nodes nobody reads.
#include <algorithm>
#include <map>
#include <numeric>

#include "ops/op_def.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

bool is_all(const Graph& graph, ValueId id, float value) {
  if (!graph.is_constant(id) || graph.dtype(id) != DType::kFloat32) return false;
  const std::span<const float> data = graph.constant(id).as<float>();
  return std::all_of(data.begin(), data.end(), [&](float x) { return x == value; });
}

bool is_identity_permutation(const std::vector<int32_t>& perm) {
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int32_t>(i)) return false;
  }
  return true;
}

bool all_equal(const std::vector<int32_t>& values, int32_t expected) {
  return std::all_of(values.begin(), values.end(), [&](int32_t x) { return x == expected; });
}

bool is_neutral(const Graph& graph, const Node& node, ValueId other) {
  switch (node.attrs<plan::BinaryT>().kind) {
    case plan::BinaryKind::kAdd:
    case plan::BinaryKind::kSub:
      return is_all(graph, other, 0.0f);
    case plan::BinaryKind::kMul:
    case plan::BinaryKind::kDiv:
      return is_all(graph, other, 1.0f);
    default:
      return false;
  }
}

// The input that `node` returns unchanged, or kNoValue. Conditions beyond equal types only.
ValueId passes_through(const Graph& graph, const Node& node) {
  const ValueId x = node.inputs[0];
  switch (node.code) {
    case OpCode::kReshape:
    case OpCode::kCast:
    case OpCode::kExpand:
    case OpCode::kTile:
      return x;
    case OpCode::kTranspose:
      return is_identity_permutation(node.attrs<plan::TransposeT>().perm) ? x : kNoValue;
    case OpCode::kSlice:
      return all_equal(node.attrs<plan::SliceT>().steps, 1) ? x : kNoValue;
    case OpCode::kPad: {
      const auto& pad = node.attrs<plan::PadT>();
      return all_equal(pad.before, 0) && all_equal(pad.after, 0) ? x : kNoValue;
    }
    case OpCode::kConcat:
      return node.inputs.size() == 1 ? x : kNoValue;
    case OpCode::kBinary: {
      const auto& binary = node.attrs<plan::BinaryT>();
      if (binary.clamp != nullptr) return kNoValue;
      if (is_neutral(graph, node, node.inputs[1])) return x;
      const bool commutes = binary.kind == plan::BinaryKind::kAdd || binary.kind == plan::BinaryKind::kMul;
      return commutes && is_neutral(graph, node, x) ? node.inputs[1] : kNoValue;
    }
    default:
      return kNoValue;
  }
}

void drop_identities(Graph& graph) {
  Rewriter rewriter(graph);
  std::vector<ValueId> renamed(graph.values.size());
  std::iota(renamed.begin(), renamed.end(), 0);
  for (Node& node : rewriter.old_nodes()) {
    for (ValueId& id : node.inputs) id = id == kNoValue ? id : renamed[static_cast<size_t>(id)];
    const ValueId same = node.inputs.empty() ? kNoValue : passes_through(graph, node);
    const ValueId output = node.outputs[0];
    if (same != kNoValue && !graph.is_output(output) && graph.value(same).type == graph.value(output).type &&
        graph.value(same).quantization == graph.value(output).quantization) {
      renamed[static_cast<size_t>(output)] = same;
    } else {
      rewriter.keep(std::move(node));
    }
  }
}

// Two transposes or two reshapes in a row are one.
void merge_chains(Graph& graph) {
  const Uses uses(graph);
  for (Node& node : graph.nodes) {
    if (node.code != OpCode::kReshape && node.code != OpCode::kTranspose) continue;
    const int source = uses.producer[static_cast<size_t>(node.inputs[0])];
    if (source < 0 || graph.nodes[static_cast<size_t>(source)].code != node.code) continue;
    const Node& first = graph.nodes[static_cast<size_t>(source)];
    if (node.code == OpCode::kTranspose) {
      const std::vector<int32_t> before = first.attrs<plan::TransposeT>().perm;
      for (int32_t& axis : node.attrs<plan::TransposeT>().perm) axis = before[static_cast<size_t>(axis)];
    }
    node.inputs[0] = first.inputs[0];
  }
}

bool attributes_equal(const Attributes& a, const Attributes& b) { return a == b; }

void share_equal_nodes(Graph& graph) {
  std::vector<ValueId> renamed(graph.values.size());
  std::iota(renamed.begin(), renamed.end(), 0);
  std::map<std::pair<OpCode, std::vector<ValueId>>, std::vector<size_t>> seen;
  Rewriter rewriter(graph);
  for (Node& node : rewriter.old_nodes()) {
    for (ValueId& id : node.inputs) id = id == kNoValue ? id : renamed[static_cast<size_t>(id)];
    std::vector<size_t>& candidates = seen[{node.code, node.inputs}];
    const auto twin = std::find_if(candidates.begin(), candidates.end(), [&](size_t i) {
      const Node& other = graph.nodes[i];
      return attributes_equal(other.attributes, node.attributes) &&
             graph.value(other.outputs[0]).type == graph.value(node.outputs[0]).type &&
             graph.value(other.outputs[0]).quantization == graph.value(node.outputs[0]).quantization;
    });
    if (twin != candidates.end() && !graph.is_output(node.outputs[0])) {
      renamed[static_cast<size_t>(node.outputs[0])] = graph.nodes[*twin].outputs[0];
      continue;
    }
    candidates.push_back(graph.nodes.size());
    rewriter.keep(std::move(node));
  }
}

}  // namespace

void simplify(Graph& graph, PassContext&) {
  merge_chains(graph);
  drop_identities(graph);
  share_equal_nodes(graph);
  drop_dead_nodes(graph);
}

}  // namespace bantam::compiler
