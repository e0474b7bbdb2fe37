// A walk through a network, layer by layer, on the calibration samples: the values that the nodes ahead need
// are kept of every sample, so that what lies behind does not run again for every layer.
#pragma once

#include "prune/data/samples.h"

namespace bantam::compiler {

class Frontier {
 public:
  // Walks with the samples in `which`. The values in `lasting` stay known once they have been passed.
  Frontier(const CalibrationSamples& samples, const PassContext& context, std::vector<int> which,
           std::vector<ValueId> lasting = {});

  // Moves to just before node number `node` of `graph`; stays where it is when what would have to be kept
  // there is too much. No node that lies behind may change afterwards, nor any may lie behind that `run` is
  // asked about, but those that later nodes read.
  void advance(const Graph& graph, int node);

  // As CalibrationSamples::run does.
  void run(const Graph& graph, const std::vector<ValueId>& wanted, const Observer& observer) const;

 private:
  std::vector<ValueId> live_before(const Graph& graph, int node) const;
  bool can_keep(const Graph& graph, const std::vector<ValueId>& live) const;

  const CalibrationSamples& samples_;
  const PassContext& context_;
  std::vector<int> which_;
  std::vector<ValueId> lasting_;
  int node_ = 0;
  std::vector<ValueId> live_;
  std::vector<std::vector<TensorData>> values_;  // by position and `live_`
};

}  // namespace bantam::compiler
