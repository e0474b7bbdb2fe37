#include "budget/networks.h"

#include <fmt/format.h>

#include <algorithm>

#include "bantam/compiler/error.h"
#include "budget/budgets.h"
#include "budget/energy.h"
#include "plan_format.h"
#include "search/op_costs.h"

namespace bantam::compiler {
namespace {

constexpr int kFewSamples = 8;  // calibrate what is only weighed and timed

// Weights are held a second time, in the order in which the CPU's kernels want them.
uint64_t memory_of(const std::vector<std::byte>& plan, const Graph& graph) {
  const plan::Plan& metadata = *plan::GetPlan(plan.data() + sizeof(PlanHeader));
  uint64_t weights = 0;
  for (const Value& value : graph.values) {
    if (value.constant) weights += value.constant->bytes.size();
  }
  return plan.size() + metadata.arena_bytes() + weights;
}

}  // namespace

Networks::Networks(Graph graph, const PassContext& context, const Budgets& budgets)
    : graph_(std::move(graph)), context_(context), budgets_(budgets) {
  CompileOptions options = context.options;
  options.precision = Precision::kFp32;
  judge_ = std::make_unique<const Judge>(quantize(graph_, options).graph, context_, *context.options.test);
}

std::optional<Footprint> Networks::footprint(const Candidate& candidate) {
  CompileOptions options = context_.options;
  options.precision = candidate.precision;
  SampleSource& samples = *options.calibration;
  samples.count = std::min(samples.count, kFewSamples);
  report(candidate);
  if (candidate.pruned == 0) return measure(quantize(graph_, options).graph, options);
  try {
    std::vector<std::string> warnings;
    PassContext own{context_.options,  context_.evaluate, context_.runner, warnings, {}, {},
                    context_.onnx_path};
    const Graph graph = pruner().prune(candidate.pruned, false, own);
    return measure(quantize(graph, options).graph, options);
  } catch (const CompileError&) {
    return std::nullopt;  // so much cannot go
  }
}

Point Networks::finish(const Candidate& candidate) {
  const Network network = make(candidate);
  CompileOptions options = context_.options;
  options.precision = candidate.precision;
  const Footprint footprint = measure(network.graph, options);
  return {candidate, footprint, std::max(network.verdict.drop, 0.0), verdict_text(network.verdict)};
}

Networks::Network Networks::make(const Candidate& candidate) {
  report(candidate);
  const Pruned& from = pruned(candidate.pruned);
  CompileOptions options = context_.options;
  options.precision = candidate.precision;
  Network network = quantize(from.graph, options);
  network.verdict = judge_->judge(network.graph);
  const bool loses = budgets_.drop && network.verdict.drop > *budgets_.drop;
  if (loses && candidate.precision == Precision::kInt8) network = rescue(from, std::move(network));
  network.pruning = from.summary;
  network.warnings.insert(network.warnings.begin(), from.warnings.begin(), from.warnings.end());
  return network;
}

// Keeps ops in float32 until quantization costs no more than pruning has left of the budget.
Networks::Network Networks::rescue(const Pruned& from, Network network) const {
  CompileOptions options = context_.options;
  options.precision = Precision::kFp32;
  const double left = *budgets_.drop - judge_->judge(quantize(from.graph, options).graph).drop;
  if (left <= 0) return network;
  options.precision = Precision::kInt8;
  options.max_drop = std::min(left, *budgets_.drop);
  try {
    Network rescued = quantize(from.graph, options);
    rescued.verdict = judge_->judge(rescued.graph);
    return rescued.verdict.drop < network.verdict.drop ? std::move(rescued) : std::move(network);
  } catch (const CompileError&) {
    return network;  // not even with all but one in float32
  }
}

const Pruner& Networks::pruner() {
  if (!pruner_) pruner_ = std::make_unique<const Pruner>(graph_, context_);
  return *pruner_;
}

const Networks::Pruned& Networks::pruned(double ratio) {
  const auto [entry, fresh] = pruned_.try_emplace(ratio);
  Pruned& result = entry->second;
  if (!fresh) return result;
  if (ratio == 0) {
    result.graph = graph_;
    return result;
  }
  PassContext own{context_.options,  context_.evaluate, context_.runner, result.warnings, {}, {},
                  context_.onnx_path};
  result.graph = pruner().prune(ratio, true, own);
  result.summary = own.prune_summary;
  return result;
}

Networks::Network Networks::quantize(const Graph& graph, const CompileOptions& options) const {
  CompileOptions own_options = options;
  if (!options.choose_by_time) own_options.op_timer = nullptr;
  Network network;
  network.graph = graph;
  PassContext own{own_options, context_.evaluate, context_.runner, network.warnings, {},
                  {},          context_.onnx_path};
  quantize_pruned(network.graph, own);
  network.calibration = own.calibration_summary;
  network.precision = own.precision_summary;
  return network;
}

Footprint Networks::measure(Graph quantized, const CompileOptions& options) const {
  std::vector<std::string> warnings;
  const PassContext own{options, context_.evaluate, context_.runner, warnings, {}, {}, context_.onnx_path};
  std::vector<FinishedPlan> finished;
  finished.push_back(compiler::finish(std::move(quantized), own));
  const Graph& graph = finished[0].graph;
  const std::vector<std::byte>& plan = finished[0].plan;
  Footprint footprint;
  footprint.latency_ms = context_.options.op_timer({&plan, 1}).at(0).total_ms;
  footprint.size_bytes = plan.size();
  footprint.memory_bytes = memory_of(plan, graph);
  footprint.energy_mj = energy_of_run(graph, options.precision == Precision::kFp16);
  return footprint;
}

void Networks::report(const Candidate& candidate) const {
  constexpr double kUsual = 12;  // networks looked at; nobody knows before how many it takes
  if (!context_.options.progress) return;
  const double done = static_cast<double>(made_++);
  context_.options.progress(fmt::format("search: {}", candidate_text(candidate)), done / (done + kUsual));
}

}  // namespace bantam::compiler
