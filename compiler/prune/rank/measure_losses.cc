#include <algorithm>
#include <cmath>
#include <numeric>

#include "prune/data/frontier.h"
#include "prune/rank/ranking.h"
#include "tune/output_error.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 128;
constexpr double kLayerShare = 0.02;  // of a layer's own error in its loss

Graph compensated(const Graph& graph, const std::vector<Compensation>& state) {
  Graph changed = graph;
  for (const Compensation& layer : state) {
    Node& node = changed.nodes[static_cast<size_t>(layer.node)];
    Tensor bias = graph.constant(node.inputs[2]);
    const std::span<float> data = bias.as<float>();
    for (size_t o = 0; o < data.size(); ++o) data[o] += layer.bias_change[o];
    node.inputs[1] = changed.add_constant("weights", layer.weights);
    node.inputs[2] = changed.add_constant("bias", std::move(bias));
  }
  return changed;
}

// Losses become measured ones at `measured`, and those between in proportion to the layer's error, a small
// part of which is added: an error of the layer that the outputs happen not to show alone is not for free.
// Beyond the last measurement they rise to the whole variance of the outputs, where the layer is left with a
// single channel: nobody has looked there.
void interpolate(std::vector<double>& loss, std::map<size_t, double> measured) {
  const std::vector<double> layer = loss;
  if (measured.rbegin()->first < loss.size() - 1)
    measured[loss.size() - 1] = std::max(1.0, measured.rbegin()->second);
  size_t from = 0;
  double base = 0;
  for (const auto& [to, value] : measured) {
    const double rise = layer[to] - layer[from];
    const double slope = rise > 0 ? std::max(value - base, 0.0) / rise : 0.0;
    for (size_t k = from + 1; k <= to; ++k) loss[k] = base + slope * (layer[k] - layer[from]);
    base = loss[to];
    from = to;
  }
  for (size_t k = 0; k < loss.size(); ++k) loss[k] += kLayerShare * layer[k];
}

// Groups in the order of their first readers: so the frontier passes each once.
std::vector<size_t> in_order(const Structure& structure) {
  std::vector<size_t> order(structure.groups.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto first = [&](size_t g) {
    const std::vector<int>& readers = structure.groups[g].readers;
    return readers.empty() ? 0 : *std::min_element(readers.begin(), readers.end());
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return first(a) < first(b); });
  return order;
}

}  // namespace

void measure_losses(const Graph& graph, const Structure& structure, const CalibrationSamples& samples,
                    const PassContext& context, std::vector<Ranking>& rankings) {
  const std::vector<ValueId> values = compared_values(graph);
  if (values.empty()) return;
  const std::vector<int> which = samples.held_out(kMostSamples);
  Frontier frontier(samples, context, which, values);
  const auto outputs_now = [&](const Graph& network) {
    return outputs_of(values, which.size(),
                      [&](const Observer& observer) { frontier.run(network, values, observer); });
  };
  const Outputs expected = outputs_now(graph);
  size_t done = 0;
  for (size_t g : in_order(structure)) {
    const std::vector<int>& readers = structure.groups[g].readers;
    if (!rankings[g].compensated.empty())
      frontier.advance(graph, *std::min_element(readers.begin(), readers.end()));
    std::map<size_t, double> measured;
    for (const auto& [removed, state] : rankings[g].compensated) {
      measured[removed] = relative_error(expected, outputs_now(compensated(graph, state)));
    }
    if (!measured.empty()) interpolate(rankings[g].loss, measured);
    rankings[g].compensated.clear();
    if (context.options.progress)
      context.options.progress("measure channels",
                               static_cast<double>(++done) / static_cast<double>(structure.groups.size()));
  }
}

}  // namespace bantam::compiler
