// Small graphs for tests of passes.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ops/op_def.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::tests {

using namespace compiler;  // NOLINT: the tests of the compiler speak its language

class GraphBuilder {
 public:
  explicit GraphBuilder(Layout layout = Layout::kNhwc) { graph.layout = layout; }

  ValueId input(Shape shape) {
    const ValueId id = graph.add_value("input", {DType::kFloat32, std::move(shape)});
    graph.inputs.push_back(id);
    return id;
  }
  // Elements 1, 2, 3 ... times `step`.
  ValueId constant(Shape shape, float step = 1.0f) {
    Tensor tensor(TensorType{DType::kFloat32, std::move(shape)});
    float next = 0;
    for (float& x : tensor.as<float>()) x = next += step;
    return graph.add_constant("constant", std::move(tensor));
  }
  ValueId add(OpCode code, std::vector<ValueId> inputs, Attributes attributes = {},
              std::optional<TensorType> type = std::nullopt) {
    const ValueId id =
        graph.add_value("v" + std::to_string(graph.values.size()), type.value_or(TensorType{}));
    graph.nodes.push_back({code, graph.value(id).name, std::move(inputs), {id}, std::move(attributes)});
    graph.value(id).type = op_def(code).infer(graph, graph.nodes.back());
    return id;
  }
  ValueId reshape(ValueId x, Shape shape) {
    return add(OpCode::kReshape, {x}, {}, TensorType{graph.dtype(x), std::move(shape)});
  }
  ValueId transpose(ValueId x, std::vector<int> perm) {
    return add(OpCode::kTranspose, {x}, transpose_by(perm));
  }
  ValueId binary(plan::BinaryKind kind, ValueId a, ValueId b) {
    plan::BinaryT attributes;
    attributes.kind = kind;
    return add(OpCode::kBinary, {a, b}, std::move(attributes));
  }
  ValueId clamp(ValueId x, float low, float high) {
    plan::UnaryT attributes;
    attributes.kind = plan::UnaryKind::kClamp;
    attributes.alpha = low;
    attributes.beta = high;
    return add(OpCode::kUnary, {x}, attributes);
  }
  // 1x1, no bias; weights [out, 1, 1, in] (NHWC).
  ValueId conv(ValueId x, int64_t out, plan::Conv2dT attributes = {}) {
    return add(OpCode::kConv2d, {x, constant({out, 1, 1, graph.shape(x)[3]})}, std::move(attributes));
  }
  void output(ValueId id) { graph.outputs.push_back(id); }

  void run(void (*pass)(Graph&, PassContext&), const CompileOptions& options = {},
           const PlanRunnerFactory& runner = {}) {
    const Evaluator evaluate = [](const Graph&, const Node&) { return std::vector<Tensor>(); };
    std::vector<std::string> warnings;
    PassContext context{options, evaluate, runner, warnings, {}, {}, {}};
    pass(graph, context);
    check_graph(graph, "the pass under test");
  }

  int count(OpCode code) const {
    int found = 0;
    for (const Node& node : graph.nodes) found += node.code == code ? 1 : 0;
    return found;
  }
  const Node& only(OpCode code) const {
    for (const Node& node : graph.nodes) {
      if (node.code == code) return node;
    }
    throw std::runtime_error("no such node");
  }

  Graph graph;
};

}  // namespace bantam::tests
