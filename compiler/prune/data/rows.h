// A layer as a matrix product: every output pixel is a row of inputs times the weights. Rows are taken at
// some pixels of every sample, so that memory does not depend on how many samples there are.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Conv2d of one group and FullyConnected: output pixel = weights * row of inputs + bias.
bool is_dense_product(const Node& node);

// Which output pixels of a layer stand for a sample: the same of teacher and pruned network.
class PixelChoice {
 public:
  // At least `rows` rows from `samples` samples together, where the layer has so many pixels.
  PixelChoice(const Graph& graph, const Node& node, int samples, int64_t rows);

  int per_sample() const { return per_sample_; }
  int rows(int samples) const { return per_sample_ * samples; }
  std::vector<int64_t> pixels(int sample) const;

 private:
  int64_t all_ = 0;
  int per_sample_ = 0;
  uint64_t seed_ = 0;
};

int64_t row_length(const Graph& graph, const Node& node);  // weights per output

// Rows of inputs of a dense product at `pixels`, from its whole input `x`; columns as in the weights.
void gather_inputs(const Graph& graph, const Node& node, std::span<const float> x,
                   const std::vector<int64_t>& pixels, Eigen::Ref<RowMatrix> rows);
// The same of a tensor with `columns` channels that has these pixels.
void gather_pixels(std::span<const float> y, const std::vector<int64_t>& pixels, Eigen::Ref<RowMatrix> rows);

}  // namespace bantam::compiler
