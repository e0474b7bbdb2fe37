#include "emit/evaluate.h"

#include <algorithm>

#include "emit/plan_writer.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

// Some kernels want their first operand at run time and the others (weights, tables) as constants.
struct OneOp {
  Graph graph;
  std::vector<TensorData> inputs;
};

bool is_empty(const Graph& graph, ValueId id) {
  return id != kNoValue && element_count(graph.shape(id)) == 0;
}

OneOp isolate(const Graph& graph, const Node& node) {
  OneOp one;
  one.graph.layout = Layout::kNhwc;
  Node copy{node.code, node.name, {}, {}, node.attributes};
  for (ValueId id : node.inputs) {
    if (id == kNoValue) {
      copy.inputs.push_back(kNoValue);
      continue;
    }
    if (node.code == OpCode::kConcat && is_empty(graph, id)) continue;
    const Tensor& tensor = graph.constant(id);
    if (copy.inputs.empty()) {
      copy.inputs.push_back(one.graph.add_value("x", tensor.type));
      one.graph.inputs.push_back(copy.inputs[0]);
      one.inputs.push_back({tensor.type.dtype, tensor.type.shape, tensor.bytes});
    } else {
      copy.inputs.push_back(one.graph.add_constant("constant", tensor));
    }
  }
  const ValueId output = one.graph.add_value("y", graph.value(node.outputs[0]).type);
  one.graph.value(output).quantization = graph.value(node.outputs[0]).quantization;
  copy.outputs = {output};
  one.graph.outputs = {output};
  one.graph.nodes.push_back(std::move(copy));
  return one;
}

}  // namespace

Evaluator make_evaluator(const PlanRunnerFactory& runner) {
  return [&runner](const Graph& graph, const Node& node) -> std::vector<Tensor> {
    if (!runner || (op_def(node.code).spatial && graph.layout == Layout::kNchw)) return {};
    const TensorType type = graph.value(node.outputs[0]).type;
    std::vector<Tensor> results(1);
    if (element_count(type.shape) == 0) {
      results[0] = Tensor(type);
      return results;
    }
    const bool reads_nothing =
        std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return is_empty(graph, id); });
    if (reads_nothing && node.code != OpCode::kConcat) return {};
    const OneOp one = isolate(graph, node);
    std::vector<TensorData> outputs = runner(write_plan(one.graph, EmitOptions{}))->run(one.inputs, {});
    results[0].type = type;
    results[0].bytes = std::move(outputs.at(0).bytes);
    return results;
  };
}

}  // namespace bantam::compiler
