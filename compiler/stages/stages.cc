#include "bantam/compiler/stages.h"

#include <algorithm>

#include "emit/evaluate.h"
#include "emit/plan_writer.h"
#include "import/resized_input.h"
#include "passes/pass.h"
#include "passes/rewriter.h"
#include "stages/add_switches.h"
#include "stages/follow_scaling.h"
#include "stages/plan_reader.h"

namespace bantam::compiler {
namespace {

constexpr const char* kLastOfFloat = "simplify_last";  // passes behind it share memory between tensors
constexpr std::string_view kFolding[] = {"fold_affine", "drop_dead_channels", "prune", "sparsify"};

CompileOptions in_float(CompileOptions options) {
  options.precision = Precision::kFp32;
  options.stop_after.clear();
  options.dump_ir_directory.clear();
  return options;
}

Graph run_passes(const std::string& onnx_path, const CompileOptions& options, const PlanRunnerFactory& runner,
                 bool fold) {
  const Evaluator evaluate = make_evaluator(runner);
  Graph graph = load_model(onnx_path, options, evaluate);
  std::vector<std::string> warnings;  // compile tells them
  PassContext context{options, evaluate, runner, warnings, {}, {}, onnx_path};
  for (const Pass& pass : pipeline()) {
    if (!fold && std::ranges::find(kFolding, pass.name) != std::end(kFolding)) continue;
    pass.run(graph, context);
    if (pass.name == kLastOfFloat) break;
  }
  drop_dead_nodes(graph);
  return graph;
}

}  // namespace

SwitchedPlan compile_switched(const std::string& onnx_path, const CompileOptions& options,
                              const PlanRunnerFactory& runner, std::span<const std::byte> plan) {
  Graph graph = run_passes(onnx_path, in_float(options), runner, true);
  SwitchedPlan result;
  if (!plan.empty()) {
    const PlanReader reader(plan);
    follow_scaling(graph, reader);
    result.switches = add_switches(graph, reader);
    check_graph(graph, "adding switches");
    const auto weights = std::ranges::count(result.switches, Cause::kWeights, &Switch::cause);
    result.unmatched = reader.ops_with_weights() - static_cast<int>(weights);
  }
  result.fusions = std::move(graph.fusions);
  result.plan = write_plan(graph, EmitOptions{});
  return result;
}

std::vector<std::byte> compile_unfolded(const std::string& onnx_path, const CompileOptions& options,
                                        const PlanRunnerFactory& runner) {
  CompileOptions float_options = in_float(options);
  float_options.prune.reset();
  float_options.sparsity.reset();
  return write_plan(run_passes(onnx_path, float_options, runner, false), EmitOptions{});
}

}  // namespace bantam::compiler
