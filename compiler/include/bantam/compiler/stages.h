// The networks that lie between a model and its plan. The error of a plan is what its output differs by from
// the model's in float32; every network here takes one more of the plan's approximations in, so that the
// differences between neighbours tell what each costs.
#pragma once

#include "bantam/compiler/compiler.h"

namespace bantam::compiler {

// What a switch of a switched plan turns on.
enum class Cause {
  kWeights,      // an op computes with the plan's weights and biases (rounded, corrected, rescaled)
  kClipping,     // a tensor is clamped to what its int8 range can hold
  kActivations,  // a tensor is rounded to its int8 steps, which clamps it too
};

struct Switch {
  Cause cause = Cause::kWeights;
  std::string tensor;  // the op's output; the tensor that is clamped or rounded
};

// The model as a float32 plan with the approximations of another plan, each of which can be switched on.
struct SwitchedPlan {
  std::vector<std::byte> plan;       // its inputs are the model's, and last "switches": bool[switches.size()]
  std::vector<Switch> switches;      // what the elements of that input mean, in execution order
  std::vector<plan::NoteT> fusions;  // what became part of which node
  int unmatched = 0;  // ops of the plan with weights that the float32 network has no counterpart of
};

// The switched plan of the model as `options` compile it in float32, image options, shapes and pruning
// included, with the approximations that `plan` makes. Ops and tensors are known by their names; channels are
// scaled as the plan's are (cross-layer equalization). Without
// switches, and without the input for them, when the plan approximates nothing or is empty. Throws as compile
// does.
SwitchedPlan compile_switched(const std::string& onnx_path, const CompileOptions& options,
                              const PlanRunnerFactory& runner, std::span<const std::byte> plan);

// The model in float32 as it is written: nothing is folded or pruned, whatever `options` say.
std::vector<std::byte> compile_unfolded(const std::string& onnx_path, const CompileOptions& options,
                                        const PlanRunnerFactory& runner);

}  // namespace bantam::compiler
