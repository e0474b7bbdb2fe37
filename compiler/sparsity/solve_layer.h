// One layer by second order, checked on samples that it was not solved on.
#pragma once

#include <memory>

#include "sparsity/layers.h"
#include "sparsity/remove_weights.h"

namespace bantam::compiler {

// Rows of calibration data to solve a layer on, where there are as many: for its curve, and in the end.
int64_t rows_for_curves(const SparseLayer& layer);
int64_t rows_for_solution(const SparseLayer& layer);

struct SolvedLayer {
  RowMatrix weights;
  Eigen::VectorXf shift;  // of the outputs, to be added to the bias
  double error = 0;       // of the outputs held out, in squares, relative to what they vary by
};

class LayerSolver {
 public:
  // `rows`: of the layer's inputs, `per_sample` of each sample together.
  LayerSolver(const SparseLayer& layer, const RowMatrix& rows, int per_sample, const CompileOptions& options);

  // Where several ways of solving were open, decides for the one that is best at this `count`.
  void settle(const RowMatrix& weights, int64_t count);
  // `weights` with `count` zeros, the smallest where second order is no better on the samples held out.
  SolvedLayer solve(const RowMatrix& weights, int64_t count) const;

 private:
  double error(const RowMatrix& difference) const;

  Eigen::RowVectorXf mean_;
  RowMatrix fitted_, held_;  // about `mean_`
  std::vector<std::unique_ptr<SecondOrder>> candidates_;
};

}  // namespace bantam::compiler
