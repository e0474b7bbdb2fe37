// Computes single nodes at compile time by running one-op plans, so that an op's meaning exists once: in its
// kernel.
#pragma once

#include "bantam/compiler/compiler.h"
#include "import/node_importer.h"

namespace bantam::compiler {

Evaluator make_evaluator(const PlanRunnerFactory& runner);

}  // namespace bantam::compiler
