// Runs plans for the compiler.
#pragma once

#include "bantam/compiler/compiler.h"
#include "data/tensor.h"

namespace bantam::tools {

compiler::PlanRunnerFactory plan_runner_factory();

compiler::TensorData to_compiler(Tensor tensor);

}  // namespace bantam::tools
