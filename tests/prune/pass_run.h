// The prune pass on a graph.
#pragma once

#include "engine/plan_runner.h"
#include "net.h"

namespace bantam::tests {

struct PassRun {
  CompileOptions options;
  std::vector<std::string> warnings;
  std::string summary;

  void operator()(Graph& graph) {
    const Evaluator evaluate = [](const Graph&, const Node&) { return std::vector<Tensor>(); };
    const compiler::PlanRunnerFactory runner = tools::plan_runner_factory();
    PassContext context{options, evaluate, runner, warnings, {}, {}, {}};
    prune(graph, context);
    check_graph(graph, "prune");
    summary = context.prune_summary;
  }
};

}  // namespace bantam::tests
