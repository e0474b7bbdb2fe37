#include "tune/choose_ranges.h"

#include <algorithm>
#include <cmath>

#include "passes/rewriter.h"
#include "quantize/assign.h"
#include "quantize/convert.h"
#include "tune/output_error.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 256;
constexpr RangeMethod kCandidates[] = {RangeMethod::kSquaredError, RangeMethod::kMinMax,
                                       RangeMethod::kPercentile, RangeMethod::kEntropy};

}  // namespace

RangeMethod measure_range_methods(const Graph& graph, const Statistics& statistics,
                                  const PassContext& context) {
  const std::vector<ValueId> values = compared_values(graph);
  if (values.empty()) return kCandidates[0];
  const CalibrationSamples samples(graph, context, kMostSamples);
  const Outputs expected = outputs_of(graph, values, samples);
  RangeMethod best = kCandidates[0];
  double least = INFINITY;
  double done = 0;
  for (RangeMethod method : kCandidates) {
    Graph candidate = graph;
    convert_to_int8(candidate, assign_precision(candidate, statistics.histograms, method), statistics, {},
                    context);
    drop_dead_nodes(candidate);
    const double error = relative_error(expected, outputs_of(candidate, compared_values(candidate), samples));
    if (error < least) best = method;
    least = std::min(least, error);
    if (context.options.progress) context.options.progress("measure ranges", ++done / std::size(kCandidates));
  }
  return best;
}

}  // namespace bantam::compiler
