// What is decided before a network is quantized: whether to equalize its channels, how ranges are chosen, and
// whether biases make up for rounding. All of it is fitted on one half of the calibration samples and judged
// on the other, by the error of the outputs, and where samples are few and not images the other way round,
// too; what was decided is then fitted on all of them.
#pragma once

#include "passes/pass.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {

struct Prepared {
  Statistics statistics;  // of the graph, on all samples; without means where biases stay as they are
  RangeMethods ranges;
  double error = 0;  // as in RangeChoice, before weights are rounded by it; 0: no outputs to measure
};

// Equalizes `graph`, fp32, where that helps.
Prepared prepare_for_int8(Graph& graph, const PassContext& context);

}  // namespace bantam::compiler
