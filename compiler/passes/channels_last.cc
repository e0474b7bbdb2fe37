// NCHW becomes NHWC: every spatial op is wrapped in transposes and its weights are permuted. This is the only
// place where the layout changes; sink_transposes then cancels what was wrapped twice.
#include <fmt/format.h>

#include "bantam/compiler/error.h"
#include "ops/op_def.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

const std::vector<int> kToNhwc = {0, 2, 3, 1};
const std::vector<int> kToNchw = {0, 3, 1, 2};

bool has_spatial_weights(OpCode code) { return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d; }

void check_weights(const Graph& graph, const Node& node) {
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue || graph.is_constant(node.inputs[i])) continue;
    throw CompileError(fmt::format(
        "{} node '{}': its {} '{}' are computed at run time; bantam needs them constant",
        op_def(node.code).name, node.name, i == 1 ? "weights" : "biases", graph.value(node.inputs[i]).name));
  }
}

void wrap(Graph& graph, Rewriter& rewriter, Node node) {
  const ValueId output = node.outputs[0];
  const ValueId input = rewriter.add(OpCode::kTranspose, node.name, {node.inputs[0]}, transpose_by(kToNhwc));
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = input;
  if (has_spatial_weights(node.code)) {
    check_weights(graph, node);
    const ValueId weights = inputs[1];
    inputs[1] = graph.add_constant(graph.value(weights).name, permuted(graph.constant(weights), kToNhwc));
  }
  const Shape& nchw = graph.shape(output);
  const TensorType nhwc{graph.dtype(output), {nchw[0], nchw[2], nchw[3], nchw[1]}};
  const ValueId result = rewriter.add(node.code, node.name, inputs, std::move(node.attributes), nhwc);
  rewriter.add_into(output, OpCode::kTranspose, node.name, {result}, transpose_by(kToNchw));
}

}  // namespace

void channels_last(Graph& graph, PassContext&) {
  graph.layout = Layout::kNhwc;
  Rewriter rewriter(graph);
  for (Node& node : rewriter.old_nodes()) {
    if (op_def(node.code).spatial) {
      wrap(graph, rewriter, std::move(node));
    } else {
      rewriter.keep(std::move(node));
    }
  }
}

}  // namespace bantam::compiler
