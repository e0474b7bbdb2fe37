#include "budget/search.h"

#include <fmt/format.h>

#include <algorithm>

#include "bantam/compiler/error.h"
#include "budget/budgets.h"
#include "budget/input_sizes.h"
#include "budget/search_progress.h"
#include "budget/sized_networks.h"
#include "search/hold_out.h"

namespace bantam::compiler {
namespace {

// Answers from what an earlier search has measured, and tells what is new.
class Remembered final : public Landscape {
 public:
  Remembered(Landscape& landscape, const CompileOptions& options)
      : landscape_(landscape), options_(options) {}

  std::optional<Footprint> footprint(const Candidate& candidate) override {
    if (const Point* known = find(candidate); known != nullptr) return known->footprint;
    const std::optional<Footprint> seen = landscape_.footprint(candidate);
    if (seen && options_.on_point) options_.on_point({candidate, *seen, std::nullopt, {}});
    return seen;
  }

  Point finish(const Candidate& candidate) override {
    if (const Point* known = find(candidate); known != nullptr && known->drop) return *known;
    Point point = landscape_.finish(candidate);
    if (options_.on_point) options_.on_point(point);
    return point;
  }

  std::optional<Point> mix(const Candidate& candidate) override {
    if (const Point* known = find(candidate); known != nullptr && known->drop) return *known;
    std::optional<Point> point = landscape_.mix(candidate);
    if (point && options_.on_point) options_.on_point(*point);
    return point;
  }

 private:
  const Point* find(const Candidate& candidate) const {
    const auto known = std::find_if(options_.known_points.begin(), options_.known_points.end(),
                                    [&](const Point& point) { return point.candidate == candidate; });
    return known == options_.known_points.end() ? nullptr : &*known;
  }

  Landscape& landscape_;
  const CompileOptions& options_;
};

std::vector<Precision> precisions_of(const CompileOptions& options) {
  if (options.precision != Precision::kAsModel) return {options.precision};
  return {Precision::kInt8, Precision::kFp16, Precision::kFp32};
}

// The search judges on samples that do not calibrate, and prunes by macs.
CompileOptions search_options(const CompileOptions& given, std::vector<std::string>& warnings) {
  constexpr double kAny = 0.5;  // a drop: that there is one makes samples be held out
  CompileOptions options = given;
  options.max_drop = kAny;
  options = with_test_set(std::move(options), warnings);
  options.max_drop.reset();
  if (!options.prune) options.prune = PruneOptions{};
  options.prune->unit = PruneUnit::kMacs;
  options.prune->for_time = given.budgets->saves_time();
  return options;
}

void finish_chosen(Networks::Network network, const Point& chosen, CompileOptions options, Graph& graph,
                   PassContext& context) {
  graph = std::move(network.graph);
  options.precision = chosen.candidate.precision;
  PassContext last{options, context.evaluate, context.runner, context.warnings, {}, {}, context.onnx_path};
  last.halves = network.halves;
  last.magnitudes = std::move(network.magnitudes);
  finish_quantized(graph, last);
  context.warnings.insert(context.warnings.end(), network.warnings.begin(), network.warnings.end());
  context.calibration_summary = network.calibration.empty() ? last.calibration_summary : network.calibration;
  context.prune_summary = network.pruning;
  context.precision_summary = verdict_text(network.verdict);
}

// The model's own, and smaller ones where they are allowed and possible.
std::vector<InputSize> input_sizes(const Graph& graph, const PassContext& context) {
  std::vector<InputSize> sizes = {InputSize{}};
  if (!context.options.allow_smaller_input) return sizes;
  const SmallerInputs smaller = smaller_inputs(graph, context.onnx_path, context.options, context.evaluate);
  if (smaller.sizes.empty())
    context.warnings.push_back("--allow-smaller-input: the input keeps its size: " + smaller.refusal);
  sizes.insert(sizes.end(), smaller.sizes.begin(), smaller.sizes.end());
  return sizes;
}

}  // namespace

SearchReport meet_budgets(Graph& graph, PassContext& context) {
  const Budgets& budgets = *context.options.budgets;
  if (!context.options.calibration)
    throw CompileError("budgets need samples: give --calibrate with a folder of images or an .npy file");
  if (!context.options.op_timer) throw InternalError("a search without a timer");
  CompileOptions options = search_options(context.options, context.warnings);
  SearchProgress progress(context.options.progress);
  options.progress = [&](std::string_view stage, double fraction) { progress.pass(stage, fraction); };
  PassContext own{options, context.evaluate, context.runner, context.warnings, {}, {}, context.onnx_path};
  const std::vector<InputSize> sizes = input_sizes(graph, own);
  prepare_for_pruning(graph, own);
  progress.begin("float32");
  SizedNetworks networks(std::move(graph), own, budgets,
                         [&](const Candidate& candidate) { progress.begin(candidate_text(candidate)); });
  Remembered remembered(networks, context.options);
  const Exploration exploration = explore(remembered, budgets, precisions_of(context.options), sizes);
  SearchReport report{
      exploration.points, pareto_front(exploration.points),     exploration.chosen,
      exploration.reason, nearest_points(exploration, budgets), static_cast<bool>(options.energy_meter)};
  if (report.chosen)
    finish_chosen(networks.make(report.chosen->candidate), *report.chosen, options, graph, context);
  return report;
}

CompileOptions options_of(const CompileOptions& given, const Point& chosen) {
  std::vector<std::string> warnings;  // compile tells them
  CompileOptions options = options_at(chosen.candidate.input, search_options(given, warnings));
  options.budgets.reset();
  options.precision = chosen.candidate.precision;
  if (chosen.candidate.mixed) options.max_drop = given.budgets->drop;
  options.prune->ratio = chosen.candidate.pruned;
  if (chosen.candidate.pruned == 0) options.prune.reset();
  return options;
}

}  // namespace bantam::compiler
