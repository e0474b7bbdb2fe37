// Instead of training: after channels are gone, layers are solved again by least squares so that they
// reproduce the teacher's outputs on the calibration data, in order, with inputs from the pruned network.
#pragma once

#include "prune/channels/structure.h"
#include "prune/data/samples.h"

namespace bantam::compiler {

struct ReconstructionSummary {
  int layers = 0;  // whose inputs are not the teacher's any more
  int solved = 0;  // whose new weights were better on samples that they were not solved on
  int scarce = 0;  // that have more weights per output than rows of calibration data
  std::string scarcest;
};

// `student` is `teacher` after remove_units. Both have a bias in every layer with weights.
ReconstructionSummary reconstruct(const Graph& teacher, Graph& student, const Structure& structure,
                                  const std::vector<bool>& removed, const CalibrationSamples& samples,
                                  const PassContext& context);

}  // namespace bantam::compiler
