// Which weights of a layer become zero, and what becomes of the others.
#pragma once

#include <Eigen/Cholesky>
#include <vector>

#include "passes/pass.h"
#include "prune/data/rows.h"
#include "tune/column_blocks.h"

namespace bantam::compiler {

// The `count` weights of least magnitude are zero, the others as they were.
RowMatrix without_least(const RowMatrix& weights, int64_t count);

// By second order: those go whose loss costs the layer's outputs least, and those that stay make up for them.
// Hassibi and Stork, "Second order derivatives for network pruning: Optimal Brain Surgeon" (1992), one column
// after another as in Frantar and Alistarh, "SparseGPT" (2023); then each output's weights that are left are
// solved again by least squares.
class SecondOrder {
 public:
  // `rows`: of the layer's inputs, about their mean. `damping`: added to each input's variance, as a share of
  // it; the more, the less the inputs' covariances count.
  SecondOrder(const RowMatrix& rows, std::vector<Block> blocks, float damping, const CompileOptions& options);

  // Whether the inputs vary within what float can hold. Nothing else may be called where they do not.
  bool sound() const { return sound_; }

  // `weights` (output by column) with `count` zeros.
  RowMatrix remove(const RowMatrix& weights, int64_t count) const;

 private:
  struct Factors {
    RowMatrix rows;
    Eigen::MatrixXf covariance, upper;  // upper: of the inverse's Cholesky factors
    Eigen::VectorXf inverse;            // its diagonal
  };

  std::vector<std::vector<int64_t>> panel_counts(const RowMatrix& weights, int64_t count) const;
  RowMatrix sweep(const Factors& factors, const RowMatrix& target, const std::vector<int64_t>& counts) const;
  void solve_again(const Factors& factors, const RowMatrix& target, RowMatrix& sparse) const;

  const std::vector<Block> blocks_;
  const CompileOptions& options_;
  std::vector<Factors> factors_;
  bool sound_ = true;
};

}  // namespace bantam::compiler
