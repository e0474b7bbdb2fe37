// The way to choose ranges, by what the int8 network makes of the calibration data.
#pragma once

#include "passes/pass.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {

struct RangeChoice {
  RangeMethod method;
  double error;  // squared, of the int8 outputs, relative to their variance
};

// The method that the options ask for or, where that is kMeasured, the one whose int8 network has the least
// error of its outputs against those of `graph`, which is fp32.
RangeChoice choose_ranges(const Graph& graph, const Statistics& statistics, const PassContext& context);

}  // namespace bantam::compiler
