#include <algorithm>
#include <cmath>
#include <numeric>

#include "prune/data/frontier.h"
#include "prune/rank/ranking.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 128;
constexpr double kLayerShare = 0.02;              // of a layer's own error in its loss
constexpr size_t kMostNumbers = size_t{1} << 16;  // compared per output and sample

// The values whose error counts: the outputs; before a softmax, which hides what it saturates.
std::vector<ValueId> compared_values(const Graph& graph) {
  const Uses uses(graph);
  std::vector<ValueId> values;
  for (ValueId id : graph.outputs) {
    const int producer = uses.producer[static_cast<size_t>(id)];
    const bool softmax = producer >= 0 && graph.nodes[static_cast<size_t>(producer)].code == OpCode::kSoftmax;
    const ValueId value = softmax ? graph.nodes[static_cast<size_t>(producer)].inputs[0] : id;
    if (graph.dtype(value) == DType::kFloat32 && !graph.is_constant(value)) values.push_back(value);
  }
  return values;
}

using Outputs = std::map<ValueId, std::vector<std::vector<float>>>;  // by sample

// `run`: of values on the samples.
template <typename Run>
Outputs outputs_of(const std::vector<ValueId>& values, size_t samples, const Run& run) {
  Outputs outputs;
  for (ValueId id : values) outputs[id].resize(samples);
  run(values, [&](int sample, ValueId id, std::span<const float> data) {
    std::vector<float>& kept = outputs.at(id)[static_cast<size_t>(sample)];
    const size_t step = (data.size() + kMostNumbers - 1) / kMostNumbers;
    for (size_t i = 0; i < data.size(); i += step) kept.push_back(data[i]);
  });
  return outputs;
}

// Mean over the outputs of the squared error relative to the output's variance.
double relative_error(const Outputs& expected, const Outputs& actual) {
  double total = 0;
  for (const auto& [id, samples] : expected) {
    double sum = 0, squares = 0, errors = 0, count = 0;
    for (size_t s = 0; s < samples.size(); ++s) {
      for (size_t i = 0; i < samples[s].size(); ++i) {
        const double x = static_cast<double>(samples[s][i]);
        const double error = static_cast<double>(actual.at(id)[s][i]) - x;
        sum += x;
        squares += x * x;
        errors += error * error;
        ++count;
      }
    }
    const double variance = squares / count - sum / count * (sum / count);
    total += errors / count / std::max(variance, 1e-12);
  }
  return std::isfinite(total) ? total : 1e12;
}

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
  const Outputs expected = outputs_of(
      values, which.size(),
      [&](const auto& wanted, const Observer& observer) { frontier.run(graph, wanted, observer); });
  size_t done = 0;
  for (size_t g : in_order(structure)) {
    const std::vector<int>& readers = structure.groups[g].readers;
    if (!rankings[g].compensated.empty())
      frontier.advance(graph, *std::min_element(readers.begin(), readers.end()));
    std::map<size_t, double> measured;
    for (const auto& [removed, state] : rankings[g].compensated) {
      const Graph changed = compensated(graph, state);
      measured[removed] = relative_error(
          expected, outputs_of(values, which.size(), [&](const auto& wanted, const Observer& observer) {
            frontier.run(changed, wanted, observer);
          }));
    }
    if (!measured.empty()) interpolate(rankings[g].loss, measured);
    rankings[g].compensated.clear();
    if (context.options.progress)
      context.options.progress("measure channels",
                               static_cast<double>(++done) / static_cast<double>(structure.groups.size()));
  }
}

}  // namespace bantam::compiler
