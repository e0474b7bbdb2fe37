#include "budget/search.h"

#include <fmt/format.h>

#include <algorithm>

#include "bantam/compiler/error.h"
#include "budget/budgets.h"
#include "budget/networks.h"
#include "search/hold_out.h"

namespace bantam::compiler {
namespace {

// Answers from what an earlier search has measured, and tells what is new.
class Remembered final : public Landscape {
 public:
  Remembered(Landscape& landscape, const CompileOptions& options)
      : landscape_(landscape), options_(options) {}

  std::optional<Footprint> footprint(const Candidate& candidate) override {
    const Point* known = find(candidate);
    return known != nullptr ? known->footprint : landscape_.footprint(candidate);
  }

  Point finish(const Candidate& candidate) override {
    if (const Point* known = find(candidate); known != nullptr) return *known;
    Point point = landscape_.finish(candidate);
    if (options_.on_point) options_.on_point(point);
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
  return options;
}

[[noreturn]] void refuse(const Exploration& exploration, const Budgets& budgets) {
  std::string text =
      "the budgets contradict each other: no network meets them all. What comes nearest to each:";
  for (const std::string& line : nearest_points(exploration, budgets)) text += "\n  " + line;
  throw CompileError(text);
}

}  // namespace

SearchReport meet_budgets(Graph& graph, PassContext& context) {
  const Budgets& budgets = *context.options.budgets;
  if (!context.options.calibration)
    throw CompileError("budgets need samples: give --calibrate with a folder of images or an .npy file");
  if (!context.options.op_timer) throw InternalError("a search without a timer");
  const CompileOptions options = search_options(context.options, context.warnings);
  PassContext own{options, context.evaluate, context.runner, context.warnings, {}, {}, context.onnx_path};
  prepare_for_pruning(graph, own);
  Networks networks(std::move(graph), own, budgets);
  Remembered remembered(networks, context.options);
  const Exploration exploration = explore(remembered, budgets, precisions_of(context.options));
  if (!exploration.chosen) refuse(exploration, budgets);
  Networks::Network network = networks.make(exploration.chosen->candidate);
  graph = std::move(network.graph);
  CompileOptions chosen = options;
  chosen.precision = exploration.chosen->candidate.precision;
  PassContext last{chosen, context.evaluate, context.runner, context.warnings, {}, {}, context.onnx_path};
  finish_quantized(graph, last);
  context.warnings.insert(context.warnings.end(), network.warnings.begin(), network.warnings.end());
  context.calibration_summary = network.calibration;
  context.prune_summary = network.pruning;
  context.precision_summary = verdict_text(network.verdict);
  return {exploration.points, pareto_front(exploration.points), *exploration.chosen, exploration.reason};
}

}  // namespace bantam::compiler
