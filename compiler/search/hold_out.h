// Samples to judge int8 by, where the user gave none.
#pragma once

#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"

namespace bantam::compiler {

// The options, with a test set if CompileOptions::max_drop needs one: a fourth of the calibration samples,
// which then do not calibrate. Where these are too few, all of them do both, and a warning says so. Throws
// CompileError for a drop that is no share.
CompileOptions with_test_set(CompileOptions options, std::vector<std::string>& warnings);

}  // namespace bantam::compiler
