// Post-training quantization: calibrate, decide, convert.
#include <fmt/format.h>

#include "passes/pass.h"
#include "passes/rewriter.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"
#include "quantize/convert.h"
#include "search/choose_precision.h"

namespace bantam::compiler {

void quantize(Graph& graph, PassContext& context) {
  if (context.options.precision != Precision::kInt8) return;
  const Statistics statistics = calibrate(graph, context);
  const auto in_int8 = [&](const KeptFloat& kept) {
    Graph converted = graph;
    const Assignment assignment =
        assign_precision(graph, statistics.histograms, context.options.ranges, kept);
    convert_to_int8(converted, assignment, statistics, context);
    drop_dead_nodes(converted);
    return converted;
  };
  const KeptFloat kept = choose_precision(graph, in_int8, context);
  Graph converted = in_int8(kept);
  if (context.options.op_timer) context.unquantized = std::move(graph);
  graph = std::move(converted);
  context.calibration_summary =
      fmt::format("{} samples of {}, ranges by {}", context.options.calibration->count,
                  context.options.calibration->description, range_method_name(context.options.ranges));
}

}  // namespace bantam::compiler
