#include "tune/choose_ranges.h"

#include <cmath>

#include "passes/rewriter.h"
#include "quantize/assign.h"
#include "quantize/convert.h"
#include "tune/output_error.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 128;

std::vector<RangeMethod> candidates(const CompileOptions& options) {
  if (options.ranges != RangeMethod::kMeasured) return {options.ranges};
  if (!options.quantize_passes.ranges) return {RangeMethod::kSquaredError};
  return {RangeMethod::kSquaredError, RangeMethod::kMinMax, RangeMethod::kPercentile};
}

}  // namespace

RangeChoice choose_ranges(const Graph& graph, const Statistics& statistics, const PassContext& context) {
  const std::vector<RangeMethod> methods = candidates(context.options);
  const std::vector<ValueId> values = compared_values(graph);
  if (values.empty()) return {methods[0], 0};
  const CalibrationSamples samples(graph, context, kMostSamples);
  const auto outputs_by = [&](const Graph& network) {
    const std::vector<ValueId> ids = compared_values(network);
    return outputs_of(ids, static_cast<size_t>(samples.count()),
                      [&](const Observer& observer) { samples.run(network, ids, observer); });
  };
  const Outputs expected = outputs_by(graph);
  RangeChoice best{methods[0], INFINITY};
  for (size_t m = 0; m < methods.size(); ++m) {
    Graph candidate = graph;
    convert_to_int8(candidate, assign_precision(candidate, statistics.histograms, methods[m]), statistics, {},
                    context);
    drop_dead_nodes(candidate);
    const double error = relative_error(expected, outputs_by(candidate));
    if (error < best.error) best = {methods[m], error};
    if (context.options.progress)
      context.options.progress("measure ranges",
                               static_cast<double>(m + 1) / static_cast<double>(methods.size()));
  }
  return best;
}

}  // namespace bantam::compiler
