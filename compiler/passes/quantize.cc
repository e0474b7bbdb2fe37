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

RangeMethod range_method(const Graph& graph, const Statistics& statistics, const PassContext& context) {
  if (context.options.ranges != RangeMethod::kMeasured) return context.options.ranges;
  return context.options.quantize_passes.ranges ? measure_range_methods(graph, statistics, context)
                                                : RangeMethod::kSquaredError;
}

}  // namespace

void quantize(Graph& graph, PassContext& context) {
  if (context.options.precision != Precision::kInt8) return;
  check_calibration(context);
  if (context.options.quantize_passes.equalize) equalize(graph, context);
  const Statistics statistics = calibrate(graph, context);
  const RangeMethod ranges = range_method(graph, statistics, context);
  const Assignment assignment = assign_precision(graph, statistics.histograms, ranges);
  Rounding rounding;
  if (context.options.quantize_passes.round) rounding = round_weights(graph, assignment, context);
  convert_to_int8(graph, assignment, statistics, rounding, context);
  drop_dead_nodes(graph);
  context.calibration_summary =
      fmt::format("{} samples of {}, ranges by {}", context.options.calibration->count,
                  context.options.calibration->description, range_method_name(ranges));
}

}  // namespace bantam::compiler
