#include "sparsity/curves.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "prune/data/frontier.h"
#include "sparsity/solve_layer.h"
#include "tune/output_error.h"

namespace bantam::compiler {
namespace {

constexpr int kPoints = 50;            // of a curve by magnitude
constexpr double kMostOfLayer = 0.98;  // no layer loses more
constexpr double kShares[] = {0.2, 0.4, 0.55, 0.7, 0.8, 0.9, 0.95, kMostOfLayer};
constexpr double kMeasuredShares[] = {0.4, 0.7, 0.9};
constexpr double kTypicalShare = 0.7;
constexpr int kBetween = 8;           // points of the curve for each of these
constexpr double kLayerShare = 0.02;  // of a layer's own error in its loss
constexpr int kMeasuredSamples = 48;
constexpr size_t kMostBytes = size_t{256} << 20;  // of rows at one time

int64_t part(const SparseLayer& layer, double share) {
  return static_cast<int64_t>(share * static_cast<double>(layer.weights()));
}

// The layer's curve, and the weights that belong to its measured points.
struct Solved {
  LossCurve curve;
  std::map<int64_t, RowMatrix> weights;
  std::map<int64_t, Eigen::VectorXf> shifts;
};

Solved solve_at_shares(const Graph& graph, const SparseLayer& layer, const RowMatrix& rows, int per_sample,
                       const PassContext& context) {
  Solved solved;
  const RowMatrix weights = weights_of(graph, layer);
  LayerSolver solver(layer, rows, per_sample, context.options);
  solver.settle(weights, part(layer, kTypicalShare));
  solved.curve = {{0}, {0}};
  for (const double share : kShares) {
    const int64_t count = part(layer, share);
    if (count <= solved.curve.counts.back()) continue;
    const SolvedLayer result = solver.solve(weights, count);
    solved.curve.counts.push_back(count);
    solved.curve.losses.push_back(std::max(result.error, solved.curve.losses.back()));
    if (std::ranges::find(kMeasuredShares, share) == std::end(kMeasuredShares)) continue;
    solved.weights[count] = result.weights;
    solved.shifts[count] = result.shift;
  }
  return solved;
}

// Losses become the measured ones; between them in proportion to the layer's error, behind them in the last
// proportion.
void interpolate(LossCurve& curve, const std::map<int64_t, double>& measured) {
  const LossCurve layer = curve;
  const auto layer_loss = [&](int64_t count) {
    return layer.losses[static_cast<size_t>(std::ranges::find(layer.counts, count) - layer.counts.begin())];
  };
  int64_t from = 0;
  double base = 0, slope = 0;
  auto next = measured.begin();
  for (size_t i = 1; i < curve.counts.size(); ++i) {
    if (next != measured.end()) {
      const double rise = layer_loss(next->first) - layer_loss(from);
      slope = rise > 0 ? std::max(next->second - base, 0.0) / rise : 0;
    }
    curve.losses[i] = base + slope * (layer.losses[i] - layer_loss(from));
    if (next == measured.end() || curve.counts[i] < next->first) continue;
    base = curve.losses[i];
    from = curve.counts[i];
    ++next;
  }
  for (size_t i = 0; i < curve.losses.size(); ++i) curve.losses[i] += kLayerShare * layer.losses[i];
}

// Points between, as if the logarithm of the loss were straight; from nothing, the loss rises as the square.
LossCurve refined(const LossCurve& curve) {
  LossCurve fine{{0}, {0}};
  for (size_t i = 1; i < curve.counts.size(); ++i) {
    const double low = curve.losses[i - 1], high = curve.losses[i];
    for (int k = 1; k <= kBetween; ++k) {
      const double t = static_cast<double>(k) / kBetween;
      const int64_t count = curve.counts[i - 1] + (curve.counts[i] - curve.counts[i - 1]) * k / kBetween;
      if (count == fine.counts.back()) continue;
      fine.counts.push_back(count);
      fine.losses.push_back(low > 0 ? low * std::pow(high / low, t) : high * t * t);
    }
  }
  return fine;
}

class CurveMaker {
 public:
  CurveMaker(const Graph& graph, const std::vector<SparseLayer>& layers, const CalibrationSamples& samples,
             const PassContext& context)
      : graph_(graph),
        layers_(layers),
        samples_(samples),
        context_(context),
        values_(compared_values(graph)),
        which_(samples.held_out(kMeasuredSamples)),
        frontier_(samples, context, which_, values_) {}

  std::vector<LossCurve> run() {
    expected_ = outputs_now(graph_);
    std::vector<LossCurve> curves;
    for (size_t first = 0; first < layers_.size();) {
      size_t end = first, bytes = 0;
      while (end < layers_.size() && (end == first || bytes + bytes_of(end) <= kMostBytes))
        bytes += bytes_of(end++);
      for (Solved& solved : solve(first, end)) {
        measure(layers_[curves.size()], solved);
        curves.push_back(refined(solved.curve));
        if (context_.options.progress)
          context_.options.progress("measure sparsity",
                                    static_cast<double>(curves.size()) / static_cast<double>(layers_.size()));
      }
      first = end;
    }
    return curves;
  }

 private:
  PixelChoice pixels_of(size_t layer) const {
    const SparseLayer& it = layers_[layer];
    return {graph_, graph_.nodes[static_cast<size_t>(it.node)], samples_.count(), rows_for_curves(it)};
  }
  size_t bytes_of(size_t layer) const {
    return sizeof(float) *
           static_cast<size_t>(pixels_of(layer).rows(samples_.count()) * layers_[layer].columns);
  }

  Outputs outputs_now(const Graph& network) const {
    return outputs_of(values_, which_.size(),
                      [&](const Observer& observer) { frontier_.run(network, values_, observer); });
  }

  std::vector<Solved> solve(size_t first, size_t end) const {
    std::vector<RowMatrix> rows;
    std::multimap<ValueId, size_t> readers;
    std::vector<ValueId> wanted;
    std::vector<PixelChoice> choices;
    for (size_t i = first; i < end; ++i) {
      const ValueId input = graph_.nodes[static_cast<size_t>(layers_[i].node)].inputs[0];
      choices.push_back(pixels_of(i));
      rows.emplace_back(choices.back().rows(samples_.count()), layers_[i].columns);
      readers.emplace(input, i - first);
      wanted.push_back(input);
    }
    samples_.run(graph_, wanted, [&](int sample, ValueId id, std::span<const float> data) {
      const auto [begin, last] = readers.equal_range(id);
      for (auto at = begin; at != last; ++at) {
        const PixelChoice& choice = choices[at->second];
        gather_inputs(graph_, graph_.nodes[static_cast<size_t>(layers_[first + at->second].node)], data,
                      choice.pixels(sample),
                      rows[at->second].middleRows(sample * choice.per_sample(), choice.per_sample()));
      }
    });
    std::vector<Solved> solved(end - first);
    for_each_index(static_cast<int>(solved.size()), context_.options, [&](int i) {
      const size_t at = static_cast<size_t>(i);
      solved[at] = solve_at_shares(graph_, layers_[first + at], rows[at], choices[at].per_sample(), context_);
      rows[at].resize(0, 0);
    });
    return solved;
  }

  void measure(const SparseLayer& layer, Solved& solved) {
    if (values_.empty()) return;
    frontier_.advance(graph_, layer.node);
    std::map<int64_t, double> measured;
    for (const auto& [count, weights] : solved.weights) {
      Graph changed = graph_;
      set_weights(changed, layer, weights, solved.shifts.at(count));
      measured[count] = relative_error(expected_, outputs_now(changed));
    }
    interpolate(solved.curve, measured);
  }

  const Graph& graph_;
  const std::vector<SparseLayer>& layers_;
  const CalibrationSamples& samples_;
  const PassContext& context_;
  const std::vector<ValueId> values_;
  const std::vector<int> which_;
  Frontier frontier_;
  Outputs expected_;
};

}  // namespace

std::vector<LossCurve> magnitude_curves(const Graph& graph, const std::vector<SparseLayer>& layers) {
  std::vector<LossCurve> curves;
  for (const SparseLayer& layer : layers) {
    RowMatrix squares = weights_of(graph, layer).cwiseAbs2();
    std::sort(squares.data(), squares.data() + squares.size());
    const double energy = std::max(static_cast<double>(squares.sum()), 1e-30);
    LossCurve& curve = curves.emplace_back(LossCurve{{0}, {0}});
    double gone = 0;
    for (int point = 1; point <= kPoints; ++point) {
      const int64_t from = curve.counts.back(), to = part(layer, kMostOfLayer * point / kPoints);
      gone = std::accumulate(squares.data() + from, squares.data() + to, gone);
      if (to == from) continue;
      curve.counts.push_back(to);
      curve.losses.push_back(gone / energy);
    }
  }
  return curves;
}

std::vector<LossCurve> second_order_curves(const Graph& graph, const std::vector<SparseLayer>& layers,
                                           const CalibrationSamples& samples, const PassContext& context) {
  return CurveMaker(graph, layers, samples, context).run();
}

}  // namespace bantam::compiler
