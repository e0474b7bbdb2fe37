// Post-training quantization: calibrate, decide, convert.
#include <fmt/format.h>

#include <algorithm>

#include "passes/pass.h"
#include "passes/rewriter.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"
#include "quantize/convert.h"
#include "search/choose_precision.h"
#include "search/judge.h"
#include "tune/prepare.h"
#include "tune/round_weights.h"

namespace bantam::compiler {

namespace {

constexpr double kPoor = 0.03;  // error of the outputs, relative to their variance

std::vector<float> magnitudes(const Statistics& statistics) {
  std::vector<float> largest;
  for (const SplitHistogram& seen : statistics.histograms)
    largest.push_back(std::max(-seen.min(), seen.max()));
  return largest;
}

// Where nothing was asked of the accuracy that would have been measured on its own.
void tell_error(double error, PassContext& context) {
  if (error == 0 || !context.precision_summary.empty()) return;
  const double sqnr = decibels(error);
  context.precision_summary = fmt::format("output SQNR about {:.1f} dB", sqnr);
  if (error < kPoor) return;
  context.warnings.push_back(fmt::format(
      "int8 makes much noise in the outputs (SQNR about {:.1f} dB on samples that nothing was fitted "
      "on): check the accuracy with `bantam eval`; `bantam diff` tells which ops make the noise, and "
      "--max-drop 1% keeps those in float",
      sqnr));
}

}  // namespace

void quantize(Graph& graph, PassContext& context) {
  if (context.options.precision != Precision::kInt8) return;
  check_calibration(context.options);
  const Prepared prepared = prepare_for_int8(graph, context);
  const Statistics& statistics = prepared.statistics;
  const RangeMethods& ranges = prepared.ranges;
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
  tell_error(prepared.error, context);
  Graph converted = in_int8(kept);
  if (context.options.op_timer) context.unquantized = std::move(graph);
  graph = std::move(converted);
  context.calibration_summary =
      fmt::format("{} samples of {}, ranges by {}", context.options.calibration->count,
                  context.options.calibration->description, range_method_name(ranges.usual));
  if (!ranges.other.empty())
    context.calibration_summary += fmt::format(", of {} tensors otherwise", ranges.other.size());
}

}  // namespace bantam::compiler
