// The way to choose ranges, by what the int8 network makes of the calibration data.
#pragma once

#include "passes/pass.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {

// The method whose int8 network has the least squared error of its outputs against those of `graph`, which is
// fp32, on samples that are kept out of fitting.
RangeMethod measure_range_methods(const Graph& graph, const Statistics& statistics,
                                  const PassContext& context);

}  // namespace bantam::compiler
