// The way to choose ranges and to correct biases, by what the int8 network makes of the calibration data.
#pragma once

#include "passes/pass.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {

struct RangeChoice {
  RangeMethods methods;
  bool correct_bias = true;
  double error = 0;  // squared, of the int8 outputs, relative to their variance
};

// The method that the options ask for or, where that is kMeasured, the one whose int8 network has the least
// error of its outputs against those of `graph`, which is fp32; and whether it is better to correct biases.
// `statistics` is of the first half of the samples (sample_halves.h); the second half judges.
RangeChoice choose_ranges(const Graph& graph, const Statistics& statistics, const PassContext& context);

// Where the options ask for kMeasured: tensor by tensor another method than `choice` has, wherever it leaves
// the outputs with less error; the tensors first for which it makes the most difference, as many as can be
// tried in reasonable time. The number of tries depends on the network alone, not on the machine.
void refine_ranges(const Graph& graph, const Statistics& statistics, const PassContext& context,
                   RangeChoice& choice);

}  // namespace bantam::compiler
