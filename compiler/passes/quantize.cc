// Post-training quantization: calibrate, decide, convert.
#include <fmt/format.h>

#include <algorithm>

#include "passes/pass.h"
#include "passes/rewriter.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"
#include "quantize/convert.h"
#include "search/choose_precision.h"
#include "tune/choose_ranges.h"
#include "tune/equalize.h"
#include "tune/round_weights.h"

namespace bantam::compiler {

namespace {

struct Calibrated {
  Statistics statistics;
  RangeChoice ranges;
};

Calibrated calibrated(const Graph& graph, const PassContext& context) {
  Calibrated result{calibrate(graph, context), {}};
  result.ranges = choose_ranges(graph, result.statistics, context);
  return result;
}

// Equalizes where that brings the int8 network closer to the fp32 one.
Calibrated equalized(Graph& graph, const PassContext& context) {
  Calibrated before = calibrated(graph, context);
  Graph changed = graph;
  if (!context.options.quantize_passes.equalize || !equalize(changed, context)) return before;
  Calibrated after = calibrated(changed, context);
  if (after.ranges.error > before.ranges.error) return before;
  graph = std::move(changed);
  return after;
}

std::vector<float> magnitudes(const Statistics& statistics) {
  std::vector<float> largest;
  for (const Histogram& seen : statistics.histograms) largest.push_back(std::max(-seen.min(), seen.max()));
  return largest;
}

}  // namespace

void quantize(Graph& graph, PassContext& context) {
  if (context.options.precision != Precision::kInt8) return;
  const Calibrated calibration = equalized(graph, context);
  const Statistics& statistics = calibration.statistics;
  const RangeMethod ranges = calibration.ranges.method;
  const auto assigned = [&](const KeptFloat& kept) {
    return assign_precision(graph, statistics.histograms, ranges, kept);
  };
  Rounding rounding;
  if (context.options.quantize_passes.round) rounding = round_weights(graph, assigned({}), context);
  const auto in_int8 = [&](const KeptFloat& kept) {
    Graph converted = graph;
    convert_to_int8(converted, assigned(kept), statistics, rounding, context);
    drop_dead_nodes(converted);
    return converted;
  };
  context.magnitudes = magnitudes(statistics);
  const KeptFloat kept = choose_precision(graph, in_int8, context);
  Graph converted = in_int8(kept);
  if (context.options.op_timer) context.unquantized = std::move(graph);
  graph = std::move(converted);
  context.calibration_summary =
      fmt::format("{} samples of {}, ranges by {}", context.options.calibration->count,
                  context.options.calibration->description, range_method_name(ranges));
}

}  // namespace bantam::compiler
