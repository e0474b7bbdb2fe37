// In which order a group's channels are removed, and what it costs to have removed the first few.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "prune/channels/structure.h"
#include "prune/data/samples.h"

namespace bantam::compiler {

// A layer's weights and bias after its group has lost some channels, these zero.
struct Compensation {
  int node = 0;
  Tensor weights;
  std::vector<float> bias_change;
};

struct Ranking {
  std::vector<int> order;    // indices into the group's units, the first one goes first
  std::vector<double> loss;  // after as many removals, from loss[0] = 0; empty: cannot be ranked
  // At some counts of removals: what the readers can make of it.
  std::map<size_t, std::vector<Compensation>> compensated;
};

// By the squared error that the readers' outputs are left with, relative to their variance.
std::vector<Ranking> rank_by_error(const Graph& graph, const Structure& structure,
                                   const CalibrationSamples& samples, const PassContext& context);

// By a score per channel: L1 or L2 norm of its weights, batch normalization's scale, mean square of its
// values. `norm_scales` by node name. The loss is the share of the group's squared scores.
std::vector<Ranking> rank_by_score(const Graph& graph, const Structure& structure, PruneCriterion criterion,
                                   const std::map<std::string, std::vector<float>>& norm_scales,
                                   const CalibrationSamples* samples);

// Replaces the error of the layer by that of the network's outputs, measured with a part of the channels
// removed on samples that the layers were not solved on, and interpolated between.
void measure_losses(const Graph& graph, const Structure& structure, const CalibrationSamples& samples,
                    const PassContext& context, std::vector<Ranking>& rankings);

}  // namespace bantam::compiler
