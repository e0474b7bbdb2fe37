// The layers of which weights may become zero.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "passes/pass.h"
#include "prune/data/rows.h"

namespace bantam::compiler {

struct SparseLayer {
  int node = 0;
  Eigen::Index outputs = 0;
  Eigen::Index columns = 0;  // weights per output
  int64_t taps = 1;

  int64_t weights() const { return int64_t{outputs} * columns; }
};

// Convolutions of one group and fully connected layers with finite float32 weights that no other op reads: in
// others there is little to gain.
std::vector<SparseLayer> find_sparse_layers(const Graph& graph);

// Output by column.
RowMatrix weights_of(const Graph& graph, const SparseLayer& layer);
// Replaces the weights and adds `shift` to the bias, where the layer has one.
void set_weights(Graph& graph, const SparseLayer& layer, const RowMatrix& weights,
                 const Eigen::VectorXf& shift);

int64_t count_zeros(const RowMatrix& weights);

}  // namespace bantam::compiler
