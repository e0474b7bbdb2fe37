#include "budget/networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "bantam/compiler/error.h"
#include "budget/budgets.h"
#include "budget/energy.h"
#include "emit/float_notes.h"
#include "emit/golden.h"
#include "emit/plan_writer.h"
#include "plan_format.h"

namespace bantam::compiler {
namespace {

constexpr int kFewSamples = 8;  // calibrate what is only weighed and timed

// Weights are held a second time, in the order in which the CPU's kernels want them.
uint64_t memory_of(const std::vector<std::byte>& plan, const Graph& graph) {
  const plan::Plan& metadata = *plan::GetPlan(plan.data() + sizeof(PlanHeader));
  std::set<ValueId> constants;
  for (const Node& node : graph.nodes) {
    for (ValueId id : node.inputs) {
      if (id != kNoValue && graph.is_constant(id)) constants.insert(id);
    }
  }
  uint64_t weights = 0;
  for (ValueId id : constants) weights += graph.constant(id).bytes.size();
  return plan.size() + metadata.arena_bytes() + weights;
}

// For a network that is weighed and timed, whatever it computes.
CompileOptions rough(CompileOptions options) {
  options.calibration->count = std::min(options.calibration->count, kFewSamples);
  options.ranges = RangeMethod::kSquaredError;
  options.quantize_passes = {false, false, false, false};
  return options;
}

}  // namespace

Networks::Networks(Graph graph, const PassContext& context, const Budgets& budgets, Begins begins,
                   const Judge* judge)
    : graph_(std::move(graph)), context_(context), budgets_(budgets), begins_(std::move(begins)) {
  if (judge != nullptr) {
    judge_ = std::make_unique<const Judge>(*judge, context_.options.test->samples);
    return;
  }
  const Graph teacher = quantize(graph_, options_for(Precision::kFp32)).graph;
  judge_ = std::make_unique<const Judge>(teacher, context_, *context.options.test);
}

CompileOptions Networks::options_for(Precision precision) const {
  CompileOptions options = context_.options;
  options.precision = precision;
  if (!options.choose_by_time) options.op_timer = nullptr;
  return options;
}

std::optional<Footprint> Networks::footprint(const Candidate& candidate) {
  if (begins_) begins_(candidate);
  const CompileOptions options = rough(options_for(candidate.precision));
  if (candidate.pruned == 0) return measure(quantize(graph_, options), options);
  try {
    std::vector<std::string> warnings;
    PassContext own{context_.options,  context_.evaluate, context_.runner, warnings, {}, {},
                    context_.onnx_path};
    const Graph graph = pruner().prune(candidate.pruned, false, own);
    return measure(quantize(graph, options), options);
  } catch (const CompileError&) {
    return std::nullopt;  // so much cannot go
  }
}

Point Networks::finish(const Candidate& candidate) { return weigh(candidate, make(candidate)); }

std::optional<Point> Networks::mix(const Candidate& candidate) {
  if (drop_of(pruned(candidate.pruned)) > *budgets_.drop) return std::nullopt;
  try {
    return weigh(candidate, make(candidate));
  } catch (const CompileError&) {
    return std::nullopt;  // not even with all but one op in float32
  }
}

Point Networks::weigh(const Candidate& candidate, Network network) const {
  const Verdict verdict = network.verdict;
  const Footprint footprint = measure(std::move(network), options_for(candidate.precision));
  return {candidate, footprint, std::max(verdict.drop, 0.0), verdict_text(verdict)};
}

Networks::Network Networks::make(const Candidate& candidate) {
  if (begins_) begins_(candidate);
  const Pruned& from = pruned(candidate.pruned);
  CompileOptions options = options_for(candidate.precision);
  if (candidate.mixed) {
    options.max_drop = budgets_.drop;
    options.op_timer = context_.options.op_timer;  // whether float16 is slower
  }
  Network network = quantize(from.graph, options);
  network.verdict = judge(network, options);
  network.pruning = from.summary;
  network.warnings.insert(network.warnings.begin(), from.warnings.begin(), from.warnings.end());
  return network;
}

double Networks::drop_of(Pruned& pruned) const {
  if (!pruned.drop) {
    const CompileOptions options = options_for(Precision::kFp32);
    pruned.drop = judge(quantize(pruned.graph, options), options).drop;
  }
  return *pruned.drop;
}

Verdict Networks::judge(const Network& network, const CompileOptions& options) const {
  std::vector<std::string> warnings;
  PassContext own{options, context_.evaluate, context_.runner, warnings, {}, {}, context_.onnx_path};
  own.halves = network.halves;
  own.magnitudes = network.magnitudes;
  Graph graph = network.graph;
  narrow_quantized(graph, own);
  return judge_->judge(graph);
}

const Pruner& Networks::pruner() {
  if (!pruner_) pruner_ = std::make_unique<const Pruner>(graph_, context_);
  return *pruner_;
}

Networks::Pruned& Networks::pruned(double ratio) {
  const auto [entry, fresh] = pruned_.try_emplace(ratio);
  Pruned& result = entry->second;
  if (!fresh) return result;
  if (ratio == 0) {
    result.graph = graph_;
    if (context_.options.input_size.is_own()) result.drop = 0;
    return result;
  }
  PassContext own{context_.options,  context_.evaluate, context_.runner, result.warnings, {}, {},
                  context_.onnx_path};
  result.graph = pruner().prune(ratio, true, own);
  result.summary = own.prune_summary;
  return result;
}

Networks::Network Networks::quantize(const Graph& graph, const CompileOptions& options) const {
  Network network;
  network.graph = graph;
  PassContext own{options, context_.evaluate, context_.runner, network.warnings, {}, {}, context_.onnx_path};
  own.judge = judge_.get();
  quantize_pruned(network.graph, own);
  network.calibration = own.calibration_summary;
  network.halves = own.halves;
  network.magnitudes = own.magnitudes;
  return network;
}

Footprint Networks::measure(Network network, const CompileOptions& options) const {
  std::vector<std::string> warnings;
  PassContext own{options, context_.evaluate, context_.runner, warnings, {}, {}, context_.onnx_path};
  own.halves = network.halves;
  own.magnitudes = std::move(network.magnitudes);
  Graph& graph = network.graph;
  finish_quantized(graph, own);
  if (options.precision == Precision::kInt8) note_float_ops(graph);
  // As large as the plan that would be written.
  EmitOptions emit;
  emit.source_hash = 1;  // any but 0, which takes no space
  emit.source_name = std::filesystem::path(context_.onnx_path).filename().string();
  emit.options = options.options_text;
  emit.calibration = network.calibration.empty() ? own.calibration_summary : network.calibration;
  emit.golden = compute_golden(graph, write_plan(graph, emit), context_.runner);
  const std::vector<std::vector<std::byte>> plans = {write_plan(graph, emit)};
  Footprint footprint;
  footprint.latency_ms = least_latency(context_.options.op_timer, plans);
  footprint.size_bytes = plans[0].size();
  footprint.memory_bytes = memory_of(plans[0], graph);
  footprint.energy_mj = context_.options.energy_meter
                            ? context_.options.energy_meter(plans[0])
                            : energy_of_run(graph, options.precision == Precision::kFp16);
  return footprint;
}

}  // namespace bantam::compiler
