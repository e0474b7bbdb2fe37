// Softmax runs over the last axis: others are transposed there and back.
#include <numeric>

#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {

void move_softmax_axis(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph);
  for (Node& node : rewriter.old_nodes()) {
    const int last = static_cast<int>(graph.shape(node.outputs[0]).size()) - 1;
    if (node.code != OpCode::kSoftmax || node.attrs<plan::SoftmaxT>().axis == last) {
      rewriter.keep(std::move(node));
      continue;
    }
    std::vector<int> swap(static_cast<size_t>(last) + 1);
    std::iota(swap.begin(), swap.end(), 0);
    std::swap(swap[static_cast<size_t>(node.attrs<plan::SoftmaxT>().axis)], swap.back());
    const ValueId moved = rewriter.add(OpCode::kTranspose, node.name, {node.inputs[0]}, transpose_by(swap));
    plan::SoftmaxT softmax = node.attrs<plan::SoftmaxT>();
    softmax.axis = last;
    const ValueId result = rewriter.add(OpCode::kSoftmax, node.name, {moved}, softmax);
    rewriter.add_into(node.outputs[0], OpCode::kTranspose, node.name, {result}, transpose_by(swap));
  }
  simplify(graph, context);
}

}  // namespace bantam::compiler
