#include "report/subject.h"

#include <algorithm>

#include "engine/plan_runner.h"
#include "io/failure.h"

namespace bantam::tools {
namespace {

LoadedModel load(const std::vector<std::byte>& plan, const std::string& where) {
  Expected<LoadedModel> model = load_plan(plan);
  require(model.outcome(), where);
  return std::move(*model);
}

void check_alike(const Subject& subject) {
  const bantam_model_info model = subject.unfolded.model.info(), plan = subject.plan.info();
  bool alike = model.input_count == plan.input_count && model.output_count == plan.output_count;
  for (int i = 0; alike && i < plan.output_count; ++i)
    alike = element_count(shape_of(subject.unfolded.model.output(i))) ==
            element_count(shape_of(subject.plan.output(i)));
  if (alike) return;
  throw Failure(subject.plan_name,
                "has other inputs or outputs than " + subject.onnx + "; was it compiled from that model?");
}

}  // namespace

std::vector<uint8_t> Subject::only(std::initializer_list<compiler::Cause> causes) const {
  std::vector<uint8_t> on(switches.size());
  for (size_t i = 0; i < on.size(); ++i) {
    on[i] = std::ranges::find(causes, switches[i].cause) != causes.end() ? 1 : 0;
  }
  return on;
}

Subject make_subject(const Model& plan, std::span<const std::byte> plan_bytes, const std::string& plan_name,
                     const InputSet& inputs, const Origin& origin) {
  const compiler::PlanRunnerFactory runner = plan_runner_factory();
  compiler::CompileOptions unpruned = origin.options;
  unpruned.prune.reset();
  unpruned.sparsity.reset();
  const std::string& pruned = origin.pruned.empty() ? origin.onnx : origin.pruned;
  compiler::SwitchedPlan switched = compiler::compile_switched(pruned, origin.options, runner, plan_bytes);
  Subject subject{plan,
                  inputs,
                  inputs.count(),
                  0,
                  origin.onnx,
                  plan_name,
                  load(compiler::compile_unfolded(origin.onnx, unpruned, runner), origin.onnx),
                  std::nullopt,
                  load(switched.plan, origin.onnx),
                  std::move(switched.switches),
                  std::move(switched.fusions),
                  switched.unmatched};
  check_alike(subject);
  if (!origin.pruned.empty() || origin.options.prune || origin.options.sparsity)
    subject.folded = load(compiler::compile_switched(origin.onnx, unpruned, runner, {}).plan, origin.onnx);
  return subject;
}

}  // namespace bantam::tools
