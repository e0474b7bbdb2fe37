#include "prune/pruner.h"

#include <fmt/format.h>

#include <algorithm>

#include "bantam/compiler/error.h"
#include "import/norm_scales.h"
#include "prune/channels/structure.h"
#include "prune/reconstruct.h"
#include "prune/select.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 2048;  // of the calibration data, copies of images included

bool needs_samples(const PruneOptions& options) {
  return options.reconstruct || options.criterion == PruneCriterion::kError ||
         options.criterion == PruneCriterion::kActivation;
}

std::vector<Ranking> rank(const Graph& graph, const Structure& structure, const CalibrationSamples* samples,
                          const PassContext& context) {
  const PruneOptions& options = *context.options.prune;
  if (options.criterion == PruneCriterion::kError) {
    std::vector<Ranking> rankings = rank_by_error(graph, structure, *samples, context);
    if (!options.per_layer) measure_losses(graph, structure, *samples, context, rankings);
    return rankings;
  }
  std::map<std::string, std::vector<float>> scales;
  if (options.criterion == PruneCriterion::kBatchNorm) {
    scales = batch_norm_scales(context.onnx_path);
    if (scales.empty())
      throw CompileError(
          "--prune-by bn: the model has no BatchNormalization after its layers; choose another criterion");
  }
  return rank_by_score(graph, structure, options.criterion, scales, samples);
}

void add_notes(Graph& graph, const Structure& structure, const std::vector<Ranking>& rankings,
               const Selection& selection) {
  for (size_t g = 0; g < structure.groups.size(); ++g) {
    if (rankings[g].loss.empty())
      graph.note(structure.groups[g].name,
                 "its channels stay: the criterion does not say what they are worth");
    if (selection.per_group[g] == 0) continue;
    graph.note(structure.groups[g].name, fmt::format("{} of {} channels pruned", selection.per_group[g],
                                                     structure.groups[g].units.size()));
  }
  for (const FixedLayer& layer : structure.fixed)
    graph.note(layer.name, fmt::format("its channels cannot be pruned: {}", layer.reason));
}

void warn_of_scarcity(const ReconstructionSummary& summary, const std::string& samples,
                      PassContext& context) {
  if (summary.scarce == 0) return;
  context.warnings.push_back(
      fmt::format("{} are few for least squares in {} of {} layers (such as '{}'): these were solved with "
                  "more regularization towards their old weights; more samples would help",
                  samples, summary.scarce, summary.layers, summary.scarcest));
}

double share_removed(double before, double after) { return before > 0 ? 100 * (1 - after / before) : 0; }

}  // namespace

void check_prune_options(const CompileOptions& options) {
  const PruneOptions& prune = *options.prune;
  if (!(prune.ratio > 0 && prune.ratio < 1)) {
    throw CompileError(
        fmt::format("--prune {:g}%: the ratio must lie between 0 and 100 %", prune.ratio * 100));
  }
  if (needs_samples(prune) && !options.calibration) {
    throw CompileError(
        "--prune needs calibration data: give --calibrate with a folder of images or an .npy file (or choose "
        "--prune-by l1, l2 or bn and --no-reconstruct)");
  }
}

Pruner::Pruner(Graph graph, const PassContext& context) : graph_(std::move(graph)) {
  add_biases(graph_);
  separate_constants(graph_);
  structure_ = find_structure(graph_);
  if (needs_samples(*context.options.prune)) samples_.emplace(graph_, context, kMostSamples);
  rankings_ = rank(graph_, structure_, samples_ ? &*samples_ : nullptr, context);
}

Graph Pruner::prune(double ratio, bool reconstruct, PassContext& context) const {
  PruneOptions options = *context.options.prune;
  options.ratio = ratio;
  const Selection selection = select_units(graph_, structure_, rankings_, options);
  Graph graph = graph_;
  remove_units(graph, structure_, selection.removed);
  context.prune_summary = fmt::format("pruned {:.1f} % of the macs, {:.1f} % of the params",
                                      share_removed(count_macs(graph_), count_macs(graph)),
                                      share_removed(count_params(graph_), count_params(graph)));
  if (reconstruct) {
    const ReconstructionSummary summary =
        compiler::reconstruct(graph_, graph, structure_, selection.removed, *samples_, context);
    warn_of_scarcity(summary, samples_->description(), context);
    context.prune_summary += fmt::format("; {} of {} layers solved again on {}", summary.solved,
                                         summary.layers, samples_->description());
  }
  add_notes(graph, structure_, rankings_, selection);
  return graph;
}

}  // namespace bantam::compiler
