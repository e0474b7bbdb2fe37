// What a layer loses when channels that it reads are removed: a quadratic model of its output's error over
// the calibration data, after its other weights have been solved again (the optimal brain surgeon, a channel
// at a time).
#pragma once

#include <Eigen/Core>
#include <vector>

#include "ir/graph.h"
#include "prune/channels/structure.h"
#include "prune/data/rows.h"

namespace bantam::compiler {

class ReaderModel {
 public:
  // `rows`: inputs of the layer on calibration data, as gather_inputs makes them; of layers that are no dense
  // product or have too many weights per output, one column per channel.
  ReaderModel(const Graph& graph, const Node& node, const Structure& structure, const ChannelGroup& group,
              const RowMatrix& rows);

  // Whether the layer's whole covariance is used; else every channel stands for itself.
  static bool is_joint(const Graph& graph, const Node& node);

  // The rise of the mean squared output error relative to the output's variance if `unit` (an index into the
  // group's units) is removed next.
  double loss(size_t unit) const;
  void remove(size_t unit);

  // The weights as they have become, zero where channels are removed, and the change of the bias with them.
  Tensor weights() const;
  std::vector<float> bias_change() const;

 private:
  void add_blocks(const Graph& graph, const Node& node, const Structure& structure,
                  const ChannelGroup& group);
  void start(const RowMatrix& rows);
  double joint_loss(const std::vector<int>& block) const;
  void remove_jointly(const std::vector<int>& block);

  bool joint_ = false;
  int64_t taps_ = 1;  // columns of the weights per column of the rows
  Tensor original_;
  std::vector<std::vector<int>> blocks_;  // by unit: columns of the rows
  Eigen::MatrixXd weights_;               // output by column
  Eigen::MatrixXd inverse_;               // of the inputs' covariance, of what is left
  Eigen::VectorXd mean_;
  Eigen::VectorXd variance_;
  double energy_ = 0;
};

}  // namespace bantam::compiler
