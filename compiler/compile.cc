#include "bantam/compiler/compiler.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "budget/budgets.h"
#include "budget/search.h"
#include "emit/evaluate.h"
#include "emit/float_notes.h"
#include "emit/golden.h"
#include "emit/plan_writer.h"
#include "hash64.h"
#include "import/resized_input.h"
#include "passes/pass.h"
#include "search/choose_by_time.h"
#include "search/hold_out.h"

namespace bantam::compiler {
namespace {

uint64_t hash_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return hash64(bytes.data(), bytes.size());
}

const char* precision_name(Precision precision, bool has_int8) {
  switch (precision) {
    case Precision::kAsModel:
      return has_int8 ? "quantized as the model says" : "fp32";
    case Precision::kFp32:
      return "fp32";
    case Precision::kFp16:
      return "fp16";
    case Precision::kInt8:
      return "int8";
  }
  return "";
}

std::string summarize(const Graph& graph, Precision precision) {
  int int8_ops = 0;
  for (const Node& node : graph.nodes) int8_ops += graph.dtype(node.outputs[0]) == DType::kInt8 ? 1 : 0;
  return fmt::format("{}: {} ops, {} of them int8", precision_name(precision, int8_ops > 0),
                     graph.nodes.size(), int8_ops);
}

// A size that an earlier search has measured may lack what this one's options add to the plan's metadata.
void check_size(uint64_t size, const Budgets& budgets) {
  if (!budgets.size_bytes || size <= *budgets.size_bytes) return;
  throw CompileError(fmt::format("the plan takes {} bytes, {} more than --max-size: search without --resume",
                                 size, size - *budgets.size_bytes));
}

}  // namespace

CompileResult compile(const std::string& onnx_path, const CompileOptions& given,
                      const PlanRunnerFactory& runner) {
  CompileResult result;
  const CompileOptions options = with_test_set(given, result.warnings);
  const Evaluator evaluate = make_evaluator(runner);
  Graph graph = load_model(onnx_path, options, evaluate);
  PassContext context{options, evaluate, runner, result.warnings, {}, {}, onnx_path};
  if (options.budgets) {
    result.search = meet_budgets(graph, context);
    if (!result.search->chosen) return result;
  } else {
    run_pipeline(graph, context);
  }
  const Precision precision = result.search ? result.search->chosen->candidate.precision : options.precision;
  if (graph.layout != Layout::kNhwc) {
    result.summary = fmt::format("stopped after {}: no plan", options.stop_after);
    return result;
  }
  if (precision == Precision::kInt8) note_float_ops(graph);
  EmitOptions emit;
  emit.source_name = std::filesystem::path(onnx_path).filename().string();
  emit.source_hash = hash_of_file(onnx_path);
  emit.options = options.options_text;
  emit.calibration = context.calibration_summary;
  result.plan = write_plan(graph, emit);
  emit.golden = compute_golden(graph, result.plan, runner);
  result.plan = write_plan(graph, emit);
  if (options.budgets) {
    check_size(result.plan.size(), *options.budgets);
    result.search->written_ms = least_latency(options.op_timer, {&result.plan, 1});
  }
  if (context.unquantized && !options.allow_slower && options.stop_after.empty())
    refuse_slower(result.plan, graph, *context.unquantized, context);
  result.summary = summarize(graph, precision);
  if (!context.precision_summary.empty()) result.summary += "; " + context.precision_summary;
  if (!context.prune_summary.empty()) result.summary += "; " + context.prune_summary;
  if (!context.sparsity_summary.empty()) result.summary += "; " + context.sparsity_summary;
  return result;
}

}  // namespace bantam::compiler
