#include <fmt/format.h>

#include "bantam/compiler/compiler.h"
#include "emit/evaluate.h"
#include "export/free_batch.h"
#include "export/onnx_writer.h"
#include "import/onnx_loader.h"
#include "passes/pass.h"

namespace bantam::compiler {

PrunedModel prune_onnx(const std::string& onnx_path, const CompileOptions& options,
                       const PlanRunnerFactory& runner) {
  PrunedModel result;
  CompileOptions until_pruned = options;
  until_pruned.precision = Precision::kFp32;
  until_pruned.stop_after = "prune";
  const Evaluator evaluate = make_evaluator(runner);
  Graph graph = load_onnx(onnx_path, options.shapes, evaluate);
  PassContext context{until_pruned, evaluate, runner, result.warnings, {}, {}, onnx_path};
  run_pipeline(graph, context);
  result.onnx = write_onnx(graph, has_free_batch(onnx_path) && keeps_samples_apart(graph));
  result.summary = context.prune_summary;
  for (const plan::NoteT& note : graph.notes)
    result.summary += fmt::format("{}{}: {}", result.summary.empty() ? "" : "\n", note.node, note.text);
  return result;
}

}  // namespace bantam::compiler
