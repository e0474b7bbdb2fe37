#include <algorithm>

#include "engine/evaluate.h"
#include "io/text.h"
#include "report/measure.h"

namespace bantam::tools {
namespace {

using compiler::Cause;

constexpr size_t kCandidates = 3;     // ops that are looked at
constexpr double kWorthwhile = 0.2;   // dB
constexpr double kLargeShare = 0.15;  // of the noise, for a cause to be named

// The ops that add most, most first.
std::vector<const OpReport*> worst_ops(const Report& report) {
  std::vector<const OpReport*> ops;
  for (const OpReport& op : report.ops) {
    if (op.switched && op.own_noise() > 0) ops.push_back(&op);
  }
  std::ranges::stable_sort(ops, std::greater<>(), [](const OpReport* op) { return op->own_noise(); });
  ops.resize(std::min(ops.size(), kCandidates));
  return ops;
}

// The noise with all approximations, and with all but those of each candidate.
std::vector<double> noise_without(const Subject& subject, const std::vector<const OpReport*>& ops,
                                  int64_t count) {
  Network exact = subject.open_unfolded(), switched = subject.open_switched();
  std::vector<std::vector<uint8_t>> settings(
      ops.size() + 1, subject.only({Cause::kWeights, Cause::kClipping, Cause::kActivations}));
  for (size_t i = 0; i < ops.size(); ++i) {
    for (size_t k = 0; k < subject.switches.size(); ++k) {
      if (subject.switches[k].tensor == ops[i]->tensor) settings[i + 1][k] = 0;
    }
  }
  std::vector<NoiseSum> sums(settings.size());
  for (int64_t sample = 0; sample < count; ++sample) {
    exact.load(subject.inputs, sample);
    switched.load(subject.inputs, sample);
    const Values reference = exact.run();
    for (size_t i = 0; i < settings.size(); ++i) sums[i].add(reference, switched.run(settings[i]));
  }
  std::vector<double> ratios;
  for (const NoiseSum& sum : sums) ratios.push_back(sum.ratio());
  return ratios;
}

void suggest_float_ops(const Subject& subject, Report& report) {
  const std::vector<const OpReport*> ops = worst_ops(report);
  if (ops.empty()) return;
  const std::vector<double> noise = noise_without(subject, ops, report.own_samples);
  for (size_t i = 0; i < ops.size(); ++i) {
    const double gain = decibels(noise[i + 1]) - decibels(noise[0]);
    if (!(gain > kWorthwhile)) continue;
    report.suggestions.push_back({"keep " + ops[i]->name + " and its output in float32", gain, false});
  }
}

void suggest_ranges(Report& report) {
  for (const Step& step : report.steps) {
    const double share = report.noise > 0 ? step.noise / report.noise : 0;
    if (step.cause != kOwnCauseNames[1] || share < kLargeShare) continue;
    const double gain = -10 * std::log10(std::max(1 - share, 1e-9));
    report.suggestions.push_back(
        {format("clipping makes %.0f%% of the error: calibrate with more samples, or try --ranges minmax",
                100 * share),
         gain, true});
  }
}

}  // namespace

void suggest(const Subject& subject, Report& report) {
  suggest_float_ops(subject, report);
  suggest_ranges(report);
  std::ranges::stable_sort(report.suggestions, std::greater<>(), &Suggestion::gain_db);
}

}  // namespace bantam::tools
