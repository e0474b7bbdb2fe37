#include "tune/prepare.h"

#include "quantize/sample_halves.h"
#include "tune/choose_ranges.h"
#include "tune/equalize.h"

namespace bantam::compiler {
namespace {

constexpr double kWorthwhile = 0.95;  // of the error that stays, for equalization to be kept

struct Trial {
  std::vector<Fold> folds;
  RangeChoice choice;
};

std::vector<int> looked_at(const Fold& fold, const PassContext& context) {
  return half_of_samples(context.options.calibration->count, fold.second);
}

Trial try_out(std::vector<Fold> folds, const PassContext& context) {
  for (Fold& fold : folds) fold.statistics = calibrate(fold.graph, context, looked_at(fold, context));
  RangeChoice choice = choose_ranges(folds, context);
  return {std::move(folds), std::move(choice)};
}

Trial try_unchanged(const Graph& graph, const PassContext& context) {
  std::vector<Fold> folds;
  folds.push_back({false, graph, {}});
  // Of few images there are mirrored and shifted copies to judge by.
  const bool few = are_few_samples(context.options.calibration->count) && !context.options.image;
  if (few) folds.push_back({true, graph, {}});
  return try_out(std::move(folds), context);
}

bool try_equalized(Trial& best, const PassContext& context) {
  std::vector<Fold> folds;
  bool changed = false;
  for (const Fold& fold : best.folds) {
    folds.push_back({fold.second, fold.graph, {}});
    if (equalize(folds.back().graph, context, looked_at(fold, context))) changed = true;
  }
  if (!changed) return false;
  Trial other = try_out(std::move(folds), context);
  if (other.choice.error > kWorthwhile * best.choice.error) return false;
  best = std::move(other);
  return true;
}

}  // namespace

Prepared prepare_for_int8(Graph& graph, const PassContext& context) {
  const std::vector<int> all = every_sample(context.options.calibration->count);
  Trial best = try_unchanged(graph, context);
  if (context.options.quantize_passes.equalize && try_equalized(best, context)) equalize(graph, context, all);
  refine_ranges(best.folds, context, best.choice);
  Prepared prepared{calibrate(graph, context, all), std::move(best.choice.methods), best.choice.error};
  if (!best.choice.correct_bias) prepared.statistics.means.assign(graph.values.size(), {});
  return prepared;
}

}  // namespace bantam::compiler
