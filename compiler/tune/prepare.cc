#include "tune/prepare.h"

#include "quantize/sample_halves.h"
#include "tune/choose_ranges.h"
#include "tune/equalize.h"

namespace bantam::compiler {
namespace {

constexpr double kWorthwhile = 0.95;  // of the error that stays, for equalization to be kept

// A network with what was found on the first half of the samples.
struct Trial {
  Graph graph;
  Statistics statistics;
  RangeChoice choice;
};

Trial try_out(Graph graph, const PassContext& context) {
  Statistics statistics =
      calibrate(graph, context, half_of_samples(context.options.calibration->count, false));
  RangeChoice choice = choose_ranges(graph, statistics, context);
  return {std::move(graph), std::move(statistics), std::move(choice)};
}

bool try_equalized(Trial& best, const PassContext& context) {
  Graph changed = best.graph;
  if (!equalize(changed, context, half_of_samples(context.options.calibration->count, false))) return false;
  Trial other = try_out(std::move(changed), context);
  if (other.choice.error > kWorthwhile * best.choice.error) return false;
  best = std::move(other);
  return true;
}

}  // namespace

Prepared prepare_for_int8(Graph& graph, const PassContext& context) {
  const std::vector<int> all = every_sample(context.options.calibration->count);
  Trial best = try_out(graph, context);
  if (context.options.quantize_passes.equalize && try_equalized(best, context)) equalize(graph, context, all);
  refine_ranges(best.graph, best.statistics, context, best.choice);
  Prepared prepared{calibrate(graph, context, all), std::move(best.choice.methods)};
  if (!best.choice.correct_bias) prepared.statistics.means.assign(graph.values.size(), {});
  return prepared;
}

}  // namespace bantam::compiler
