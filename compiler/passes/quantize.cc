// Post-training quantization: calibrate, decide, convert.
#include <fmt/format.h>

#include "passes/pass.h"
#include "passes/rewriter.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"
#include "quantize/convert.h"
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

}  // namespace

void quantize(Graph& graph, PassContext& context) {
  if (context.options.precision != Precision::kInt8) return;
  const Calibrated calibration = equalized(graph, context);
  const RangeMethod ranges = calibration.ranges.method;
  const Assignment assignment = assign_precision(graph, calibration.statistics.histograms, ranges);
  Rounding rounding;
  if (context.options.quantize_passes.round) rounding = round_weights(graph, assignment, context);
  convert_to_int8(graph, assignment, calibration.statistics, rounding, context);
  drop_dead_nodes(graph);
  context.calibration_summary =
      fmt::format("{} samples of {}, ranges by {}", context.options.calibration->count,
                  context.options.calibration->description, range_method_name(ranges));
}

}  // namespace bantam::compiler
