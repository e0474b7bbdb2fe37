// float16 for what an int8 network keeps float.
#pragma once

#include "search/judge.h"
#include "search/op_costs.h"

namespace bantam::compiler {

// Whether the float layers of `int8`, as the quantize pass leaves it, shall be float16, which halves their
// weights: unless the accuracy asked for needs more, or the plan would be slower. Without `judge` the
// accuracy is not asked for; without CompileOptions::op_timer the speed is not.
bool choose_halves(const Graph& int8, const Judge* judge, const PassContext& context);

}  // namespace bantam::compiler
