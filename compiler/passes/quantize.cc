// Post-training quantization: calibrate, decide, convert.
#include <fmt/format.h>

#include "passes/pass.h"
#include "passes/rewriter.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"
#include "quantize/convert.h"

namespace bantam::compiler {

void quantize(Graph& graph, PassContext& context) {
  if (context.options.precision != Precision::kInt8) return;
  const Statistics statistics = calibrate(graph, context);
  const Assignment assignment = assign_precision(graph, statistics.histograms, context.options.ranges);
  convert_to_int8(graph, assignment, statistics, context);
  drop_dead_nodes(graph);
  context.calibration_summary =
      fmt::format("{} samples of {}, ranges by {}", context.options.calibration->count,
                  context.options.calibration->description, range_method_name(context.options.ranges));
}

}  // namespace bantam::compiler
