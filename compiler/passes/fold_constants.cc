// Nodes whose inputs are all constant are run now, not on the board.
#include <algorithm>

#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {

void fold_constants(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  for (Node& node : rewriter.old_nodes()) {
    const bool foldable = !node.inputs.empty() && !graph.is_output(node.outputs[0]) &&
                          std::all_of(node.inputs.begin(), node.inputs.end(),
                                      [&](ValueId id) { return id == kNoValue || graph.is_constant(id); });
    std::vector<Tensor> results;
    if (foldable) results = context.evaluate(graph, node);
    if (results.empty()) {
      rewriter.keep(std::move(node));
    } else {
      graph.value(node.outputs[0]).constant = std::make_shared<const Tensor>(std::move(results[0]));
    }
  }
}

}  // namespace bantam::compiler
