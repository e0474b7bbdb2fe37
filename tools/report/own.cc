// What every op adds to the error by itself, all the rest being exact.
#include <algorithm>
#include <map>

#include "engine/evaluate.h"
#include "report/measure.h"

namespace bantam::tools {
namespace {

using compiler::Cause;

// Multiply-accumulates that finding this out may take; a few seconds' worth.
constexpr double kAffordable = 4e11;
constexpr int64_t kFewestSamples = 2, kMostSamples = 16;

int64_t affordable_samples(const Subject& subject, uint64_t macs) {
  const double cost = 2.0 * static_cast<double>(macs + 1) * static_cast<double>(subject.switches.size() + 2);
  const double count = std::clamp(kAffordable / cost, double{kFewestSamples}, double{kMostSamples});
  return std::min(subject.count, static_cast<int64_t>(count));
}

// Noise that each switch makes alone, relative to what the network computes with it off. Weights are
// switched in the exact network, tensors in the one with the plan's weights, whose ranges they have.
void measure_sample(const Subject& subject, Network& network, std::vector<NoiseSum>& noise) {
  for (const bool weights : {true, false}) {
    std::vector<uint8_t> switches = weights ? subject.none() : subject.only({Cause::kWeights});
    const Values base = network.run(switches);
    for (size_t i = 0; i < switches.size(); ++i) {
      if ((subject.switches[i].cause == Cause::kWeights) != weights) continue;
      switches[i] = 1;
      noise[i].add(base, network.run(switches));
      switches[i] = 0;
    }
  }
}

}  // namespace

void measure_ops(const Subject& subject, Report& report) {
  if (subject.switches.empty()) return;
  const int64_t count = affordable_samples(subject, report.macs);
  std::vector<std::vector<NoiseSum>> samples(static_cast<size_t>(count));
  std::vector<std::optional<Network>> networks(static_cast<size_t>(worker_count(count, subject.threads)));
  const auto make_worker = [&](int worker) {
    networks[static_cast<size_t>(worker)] = subject.open_switched();
  };
  for_each_sample(count, subject.threads, "attributing", make_worker, [&](int worker, int64_t index) {
    Network& network = *networks[static_cast<size_t>(worker)];
    network.load(subject.inputs, index);
    samples[static_cast<size_t>(index)].resize(subject.switches.size());
    measure_sample(subject, network, samples[static_cast<size_t>(index)]);
  });
  std::map<std::string, OpReport*> op_of;
  for (OpReport& op : report.ops) op_of.try_emplace(op.tensor, &op);
  std::array<double, kOwnCauses> sums = {};
  for (size_t i = 0; i < subject.switches.size(); ++i) {
    NoiseSum sum;
    for (const std::vector<NoiseSum>& sample : samples) sum.add(sample[i]);
    const auto found = op_of.find(subject.switches[i].tensor);
    if (found == op_of.end()) continue;
    OpReport& op = *found->second;
    op.switched = true;
    op.own[static_cast<size_t>(subject.switches[i].cause)] += sum.ratio();
  }
  for (OpReport& op : report.ops) {
    op.own[2] -= op.own[1];  // rounding to the steps clamps, too
    for (size_t c = 0; c < kOwnCauses; ++c) sums[c] += op.own[c];
  }
  for (const Step& step : report.steps) {
    for (size_t c = 0; c < kOwnCauses; ++c) {
      if (step.cause == kOwnCauseNames[c]) report.together[c] = step.noise - sums[c];
    }
  }
  report.own_samples = count;
}

}  // namespace bantam::tools
