#include "tune/choose_ranges.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "passes/rewriter.h"
#include "prune/select.h"
#include "quantize/convert.h"
#include "quantize/sample_halves.h"
#include "tune/output_error.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 128;
constexpr int kRefineSamples = 48;
constexpr double kMostWork = 1.5e12;       // multiply-accumulates of all tries together
constexpr double kLeastDifference = 1.03;  // of two scales, to be worth a try
constexpr double kWorthwhile = 0.99;       // of the error that stays
constexpr RangeMethod kMethods[] = {RangeMethod::kSquaredError, RangeMethod::kMinMax,
                                    RangeMethod::kPercentile};

bool measures(const CompileOptions& options) {
  return options.ranges == RangeMethod::kMeasured && options.quantize_passes.ranges;
}

std::vector<RangeMethod> candidates(const CompileOptions& options) {
  if (measures(options)) return {std::begin(kMethods), std::end(kMethods)};
  return {options.ranges == RangeMethod::kMeasured ? RangeMethod::kSquaredError : options.ranges};
}

// The error of a fold's int8 outputs.
class Meter {
 public:
  Meter(const Fold& fold, const PassContext& context, int most_samples)
      : graph_(fold.graph),
        statistics_(fold.statistics),
        uncorrected_{{}, std::vector<ChannelMeans>(graph_.values.size())},
        context_(context),
        samples_(graph_, context, most_samples,
                 half_of_samples(context.options.calibration->count, !fold.second)),
        expected_(outputs(graph_)) {}

  int samples() const { return samples_.count(); }

  Assignment assigned(const RangeMethods& methods) const {
    return assign_precision(graph_, statistics_.histograms, methods);
  }

  double error(const RangeMethods& methods, bool correct_bias) const {
    Graph candidate = graph_;
    convert_to_int8(candidate, assigned(methods), correct_bias ? statistics_ : uncorrected_, {}, context_);
    drop_dead_nodes(candidate);
    return relative_error(expected_, outputs(candidate));
  }

 private:
  Outputs outputs(const Graph& network) const {
    const std::vector<ValueId> ids = compared_values(network);
    return outputs_of(ids, static_cast<size_t>(samples_.count()),
                      [&](const Observer& observer) { samples_.run(network, ids, observer); });
  }

  const Graph& graph_;
  const Statistics& statistics_;
  const Statistics uncorrected_;  // without means
  const PassContext& context_;
  const CalibrationSamples samples_;
  const Outputs expected_;
};

// The mean over the folds.
class Meters {
 public:
  Meters(const std::vector<Fold>& folds, const PassContext& context, int most_samples) {
    for (const Fold& fold : folds) meters_.push_back(std::make_unique<Meter>(fold, context, most_samples));
  }

  int samples() const {
    int sum = 0;
    for (const auto& meter : meters_) sum += meter->samples();
    return sum;
  }

  double error(const RangeMethods& methods, bool correct_bias) const {
    double sum = 0;
    for (const auto& meter : meters_) sum += meter->error(methods, correct_bias);
    return sum / static_cast<double>(meters_.size());
  }

  const std::vector<std::unique_ptr<Meter>>& of_folds() const { return meters_; }

 private:
  std::vector<std::unique_ptr<Meter>> meters_;
};

struct Try {
  ValueId group;  // of values with one scale, named by the first
  RangeMethod method;
  double difference;  // of the scale, as a ratio of at least 1
};

// Those that make a difference in some fold, the largest first.
std::vector<Try> find_tries(const Meters& meters, const RangeMethods& start) {
  std::map<std::pair<size_t, ValueId>, double> differences;  // by number of method and group
  for (const auto& meter : meters.of_folds()) {
    const Assignment now = meter->assigned(start);
    for (size_t m = 0; m < std::size(kMethods); ++m) {
      if (kMethods[m] == start.usual) continue;
      const Assignment other = meter->assigned(kMethods[m]);
      for (size_t v = 0; v < now.group.size(); ++v) {
        const bool first = now.group[v] == static_cast<ValueId>(v);
        if (!first || !now.is_int8[v] || !now.quantization[v] || !other.quantization[v]) continue;
        const double ratio = static_cast<double>(now.quantization[v]->scales[0]) /
                             static_cast<double>(other.quantization[v]->scales[0]);
        double& difference = differences[{m, static_cast<ValueId>(v)}];
        difference = std::max({difference, ratio, 1 / ratio});
      }
    }
  }
  std::vector<Try> tries;
  for (const auto& [at, difference] : differences) {
    if (difference >= kLeastDifference) tries.push_back({at.second, kMethods[at.first], difference});
  }
  std::ranges::stable_sort(tries, [](const Try& a, const Try& b) { return a.difference > b.difference; });
  return tries;
}

}  // namespace

RangeChoice choose_ranges(const std::vector<Fold>& folds, const PassContext& context) {
  const std::vector<RangeMethod> methods = candidates(context.options);
  const bool bias = context.options.quantize_passes.bias;
  if (compared_values(folds[0].graph).empty()) return {methods[0], bias};
  const Meters meters(folds, context, kMostSamples);
  RangeChoice best{methods[0], bias, INFINITY};
  for (size_t m = 0; m < methods.size(); ++m) {
    const double error = meters.error(methods[m], bias);
    if (error < best.error) best = {methods[m], bias, error};
    if (context.options.progress)
      context.options.progress("measure ranges",
                               static_cast<double>(m + 1) / static_cast<double>(methods.size()));
  }
  if (!bias) return best;
  const double uncorrected = meters.error(best.methods, false);
  return uncorrected < best.error ? RangeChoice{best.methods, false, uncorrected} : best;
}

void refine_ranges(const std::vector<Fold>& folds, const PassContext& context, RangeChoice& choice) {
  if (!measures(context.options) || compared_values(folds[0].graph).empty()) return;
  const Meters meters(folds, context, kRefineSamples);
  std::vector<Try> tries = find_tries(meters, choice.methods);
  const auto most = static_cast<size_t>(kMostWork / ((1 + count_macs(folds[0].graph)) * meters.samples()));
  if (tries.size() > most) tries.resize(most);
  const double before = meters.error(choice.methods, choice.correct_bias);
  double least = before;
  for (size_t t = 0; t < tries.size(); ++t) {
    RangeMethods changed = choice.methods;
    changed.other[tries[t].group] = tries[t].method;
    const double error = meters.error(changed, choice.correct_bias);
    if (error < kWorthwhile * least) {
      least = error;
      choice.methods = changed;
    }
    if (context.options.progress)
      context.options.progress("refine ranges",
                               static_cast<double>(t + 1) / static_cast<double>(tries.size()));
  }
  if (before > 0) choice.error *= least / before;
}

}  // namespace bantam::compiler
