// Regularized least squares towards the weights one has.
#pragma once

#include "prune/data/rows.h"

namespace bantam::compiler {

struct Correction {
  RowMatrix weights;     // output by column: to be added; empty: the old ones are best
  Eigen::VectorXf bias;  // to be added
  double before = 0;     // squared error on samples not used in solving, with the bias alone corrected
  double after = 0;
};

// The change D of weights and bias that minimizes |inputs * D' + bias - residuals|^2 + ridge * |D|^2. The
// ridge is the one with the least error on the samples that are held out of solving; then all are used.
// `per_sample` rows of each sample are together.
Correction solve_correction(const RowMatrix& inputs, const RowMatrix& residuals, int per_sample);

// The same for layers that treat each channel alone: residual = scale * input + bias per column.
Correction solve_scales(const RowMatrix& inputs, const RowMatrix& residuals, int per_sample);

}  // namespace bantam::compiler
