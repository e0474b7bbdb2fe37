#include "passes/rewriter.h"

#include <algorithm>

#include "bantam/compiler/error.h"
#include "ops/op_def.h"

namespace bantam::compiler {

ValueId Rewriter::add(OpCode code, std::string name, std::vector<ValueId> inputs, Attributes attributes,
                      std::optional<TensorType> type) {
  const ValueId output = graph_.add_value(name, type.value_or(TensorType{}));
  add_into(output, code, std::move(name), std::move(inputs), std::move(attributes));
  graph_.value(output).type = op_def(code).infer(graph_, graph_.nodes.back());
  return output;
}

void Rewriter::add_into(ValueId output, OpCode code, std::string name, std::vector<ValueId> inputs,
                        Attributes attributes) {
  graph_.nodes.push_back({code, std::move(name), std::move(inputs), {output}, std::move(attributes)});
}

void drop_dead_nodes(Graph& graph) {
  std::vector<bool> live(graph.values.size(), false);
  for (ValueId id : graph.outputs) live[static_cast<size_t>(id)] = true;
  std::vector<Node> kept;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    Node& node = graph.nodes[i];
    const bool needed = std::any_of(node.outputs.begin(), node.outputs.end(),
                                    [&](ValueId id) { return live[static_cast<size_t>(id)]; });
    if (!needed) continue;
    for (ValueId id : node.inputs) {
      if (id != kNoValue) live[static_cast<size_t>(id)] = true;
    }
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
}

std::vector<int> inverse(const std::vector<int>& perm) {
  std::vector<int> result(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) result[static_cast<size_t>(perm[i])] = static_cast<int>(i);
  return result;
}

plan::TransposeT transpose_by(const std::vector<int>& perm) {
  plan::TransposeT attributes;
  attributes.perm.assign(perm.begin(), perm.end());
  return attributes;
}

}  // namespace bantam::compiler
