#include <algorithm>
#include <map>

#include "engine/evaluate.h"
#include "report/measure.h"

namespace bantam::tools {
namespace {

using compiler::Cause;

enum Stage { kFolded, kPruned, kWeights, kClipped, kRounded, kPlan, kStages };

struct Sample {
  NoiseSum noise[kStages];
  std::vector<Distance> layers, outputs;  // by op of the plan, by output
  bool same_class = false;
};

struct Worker {
  Network unfolded, switched, plan;
  std::optional<Network> folded;
};

class Measurement {
 public:
  Measurement(const Subject& subject, const std::vector<OpReport>& ops) : subject_(subject) {
    std::map<std::string, int> known;
    for (const OpReport& op : ops)
      tensor_of_.push_back(known.try_emplace(op.tensor, static_cast<int>(known.size())).first->second);
    tensors_ = known.size();
    for (int i = 0; i < subject.switched.model.info().op_count; ++i) {
      const auto found = known.find(subject.switched.model.op_output(i, 0).name);
      matching_.push_back(found == known.end() ? -1 : found->second);
    }
  }

  Sample measure(Worker& worker, int64_t index) const {
    Sample sample;
    sample.layers.resize(tensor_of_.size());
    worker.unfolded.load(subject_.inputs, index);
    worker.switched.load(subject_.inputs, index);
    worker.plan.load(subject_.inputs, index);
    const Values reference = worker.unfolded.run();
    std::vector<std::vector<float>> tensors(tensors_);
    const Values exact =
        worker.switched.observe(subject_.none(), [&](int op, const std::vector<float>& values) {
          const int tensor = matching_[static_cast<size_t>(op)];
          if (tensor >= 0) tensors[static_cast<size_t>(tensor)] = values;
        });
    const Values got = worker.plan.observe({}, [&](int op, const std::vector<float>& values) {
      const std::vector<float>& expected = tensors[static_cast<size_t>(tensor_of_[static_cast<size_t>(op)])];
      if (expected.size() == values.size()) sample.layers[static_cast<size_t>(op)].add(expected, values);
    });
    sample.noise[kPruned].add(reference, exact);
    sample.noise[kPlan].add(reference, got);
    if (worker.folded) {
      worker.folded->load(subject_.inputs, index);
      sample.noise[kFolded].add(reference, worker.folded->run());
    }
    run_switched(worker.switched, reference, sample);
    for (size_t i = 0; i < reference.size(); ++i) sample.outputs.emplace_back().add(reference[i], got[i]);
    sample.same_class = top_classes(reference[0], 1) == top_classes(got[0], 1);
    return sample;
  }

 private:
  void run_switched(Network& switched, const Values& reference, Sample& sample) const {
    if (subject_.switches.empty()) return;
    sample.noise[kWeights].add(reference, switched.run(subject_.only({Cause::kWeights})));
    sample.noise[kClipped].add(reference, switched.run(subject_.only({Cause::kWeights, Cause::kClipping})));
    sample.noise[kRounded].add(
        reference, switched.run(subject_.only({Cause::kWeights, Cause::kClipping, Cause::kActivations})));
  }

  const Subject& subject_;
  std::vector<int>
      tensor_of_;  // by op of the plan: its output among the tensors, which are told by their names
  std::vector<int> matching_;  // likewise by op of the switched network, or -1
  size_t tensors_ = 0;
};

bool has(const Subject& subject, Cause cause) {
  return std::ranges::find(subject.switches, cause, &compiler::Switch::cause) != subject.switches.end();
}

void add_steps(const Subject& subject, const NoiseSum* noise, Report& report) {
  double before = 0;
  const auto add = [&](std::string cause, const NoiseSum& sum) {
    report.steps.push_back({std::move(cause), sum.ratio() - before, sum.ratio()});
    before = sum.ratio();
  };
  add("folding", noise[subject.folded ? kFolded : kPruned]);
  if (subject.folded) add("pruning", noise[kPruned]);
  if (has(subject, Cause::kWeights)) add(kOwnCauseNames[0], noise[kWeights]);
  if (has(subject, Cause::kClipping)) {
    add(kOwnCauseNames[1], noise[kClipped]);
    add(kOwnCauseNames[2], noise[kRounded]);
  }
  add(has(subject, Cause::kClipping) ? "tables and integer arithmetic" : "arithmetic", noise[kPlan]);
  report.noise = before;
}

}  // namespace

void measure_steps(const Subject& subject, Report& report) {
  const Measurement measurement(subject, report.ops);
  std::vector<Sample> samples(static_cast<size_t>(subject.count));
  std::vector<std::optional<Worker>> workers(
      static_cast<size_t>(worker_count(subject.count, subject.threads)));
  const auto make_worker = [&](int worker) {
    std::optional<Network> folded;
    if (subject.folded) folded.emplace(subject.folded->model, subject.onnx);
    workers[static_cast<size_t>(worker)].emplace(
        Worker{subject.open_unfolded(), subject.open_switched(), subject.open_plan(), std::move(folded)});
  };
  for_each_sample(subject.count, subject.threads, "comparing", make_worker, [&](int worker, int64_t index) {
    samples[static_cast<size_t>(index)] = measurement.measure(*workers[static_cast<size_t>(worker)], index);
  });
  report.samples = subject.count;
  report.unmatched = subject.unmatched;
  for (int i = 0; i < subject.plan.info().output_count; ++i)
    report.outputs.push_back({subject.plan.output(i).name, {}});
  NoiseSum noise[kStages];
  Agreement agreement{0, subject.count};
  for (const Sample& sample : samples) {  // in their order, so that the sums are always the same
    for (int stage = 0; stage < kStages; ++stage) noise[stage].add(sample.noise[stage]);
    for (size_t i = 0; i < report.ops.size(); ++i) report.ops[i].distance.add(sample.layers[i]);
    for (size_t i = 0; i < report.outputs.size(); ++i) report.outputs[i].distance.add(sample.outputs[i]);
    agreement.same += sample.same_class ? 1 : 0;
  }
  if (scores_classes(subject.plan)) report.agreement = agreement;
  add_steps(subject, noise, report);
}

}  // namespace bantam::tools
