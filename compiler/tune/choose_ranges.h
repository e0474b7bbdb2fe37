// The way to choose ranges and to correct biases, by what the int8 network makes of the calibration data.
#pragma once

#include "passes/pass.h"
#include "quantize/assign.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {

// A network with what was found on one half of the samples (sample_halves.h), which the other half judges.
struct Fold {
  bool second = false;  // the half that it was found on
  Graph graph;          // fp32
  Statistics statistics;
};

struct RangeChoice {
  RangeMethods methods;
  bool correct_bias = true;
  double error = 0;  // squared, of the int8 outputs, relative to their variance; mean over the folds
};

// The method that the options ask for or, where that is kMeasured, the one whose int8 network has the least
// error of its outputs against those of the fp32 network; and whether it is better to correct biases.
// `folds`: one or more, whose graphs differ in weights alone.
RangeChoice choose_ranges(const std::vector<Fold>& folds, const PassContext& context);

// Where the options ask for kMeasured: tensor by tensor another method than `choice` has, wherever it leaves
// the outputs with less error; the tensors first for which it makes the most difference, as many as can be
// tried in reasonable time. The number of tries depends on the network alone, not on the machine.
void refine_ranges(const std::vector<Fold>& folds, const PassContext& context, RangeChoice& choice);

}  // namespace bantam::compiler
