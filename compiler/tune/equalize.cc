#include "tune/equalize.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "prune/data/samples.h"
#include "tune/scale_channels.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 128;
constexpr double kWorthwhile = 0.95;  // of the error that stays, below which weights are changed
constexpr float kReached = 0.9999f;   // of a limit
constexpr double kDeviations = 4;     // from its mean, that a channel is expected to reach
constexpr double kMostFactor = 1 << 20;

// Of every channel of a value on the calibration data.
struct ChannelStatistics {
  std::vector<float> low, high;
  std::vector<double> mean, power;  // power: mean square

  // What the channel may well reach: few samples do not show it.
  double reach(size_t c) const {
    const double deviation = std::sqrt(std::max(power[c] - mean[c] * mean[c], 0.0));
    const double usual = std::fabs(mean[c]) + kDeviations * deviation;
    return std::max(usual, static_cast<double>(std::max(-low[c], high[c])));
  }
};

class Observations {
 public:
  Observations(const Graph& graph, const std::vector<ValueId>& values, const CalibrationSamples& samples)
      : by_value_(graph.values.size()) {
    std::vector<std::vector<ChannelStatistics>> parts(graph.values.size());
    for (ValueId id : values) parts[static_cast<size_t>(id)].resize(static_cast<size_t>(samples.count()));
    samples.run(graph, values, [&](int sample, ValueId id, std::span<const float> data) {
      parts[static_cast<size_t>(id)][static_cast<size_t>(sample)] =
          of_sample(data, static_cast<size_t>(graph.shape(id).back()));
    });
    for (ValueId id : values) by_value_[static_cast<size_t>(id)] = merged(parts[static_cast<size_t>(id)]);
  }

  const ChannelStatistics& of(ValueId id) const { return by_value_[static_cast<size_t>(id)]; }

 private:
  static ChannelStatistics of_sample(std::span<const float> data, size_t channels) {
    ChannelStatistics s{std::vector<float>(channels, INFINITY), std::vector<float>(channels, -INFINITY),
                        std::vector<double>(channels, 0.0), std::vector<double>(channels, 0.0)};
    for (size_t i = 0; i + channels <= data.size(); i += channels) {
      for (size_t c = 0; c < channels; ++c) {
        const float x = data[i + c];
        s.low[c] = std::min(s.low[c], x);
        s.high[c] = std::max(s.high[c], x);
        s.mean[c] += static_cast<double>(x);
        s.power[c] += static_cast<double>(x) * static_cast<double>(x);
      }
    }
    divide(s, static_cast<double>(data.size()) / static_cast<double>(channels));
    return s;
  }

  static void divide(ChannelStatistics& s, double count) {
    for (std::vector<double>* sums : {&s.mean, &s.power}) {
      for (double& sum : *sums) sum /= count;
    }
  }

  static ChannelStatistics merged(const std::vector<ChannelStatistics>& samples) {
    ChannelStatistics all = samples[0];
    for (size_t s = 1; s < samples.size(); ++s) {
      for (size_t c = 0; c < all.low.size(); ++c) {
        all.low[c] = std::min(all.low[c], samples[s].low[c]);
        all.high[c] = std::max(all.high[c], samples[s].high[c]);
        all.mean[c] += samples[s].mean[c];
        all.power[c] += samples[s].power[c];
      }
    }
    divide(all, static_cast<double>(samples.size()));
    return all;
  }

  std::vector<ChannelStatistics> by_value_;
};

// The weights of a layer, [outputs, taps, inputs per group], and what it reads and makes.
struct Layer {
  Layer(const Graph& graph, const Node& node, const Observations& seen)
      : weights(graph.constant(node.inputs[1]).as<float>()),
        outputs(static_cast<size_t>(graph.shape(node.inputs[1])[0])),
        per_group(static_cast<size_t>(graph.shape(node.inputs[1]).back())),
        input(seen.of(node.inputs[0])),
        output(seen.of(node.outputs[0])) {
    row = weights.size() / outputs;
    const size_t groups = input.power.size() / per_group;
    outputs_per_group = outputs / groups;
  }
  size_t first_input(size_t o) const { return o / outputs_per_group * per_group; }
  bool usual() const { return output.power.size() == outputs; }

  std::span<const float> weights;
  size_t outputs, per_group, row = 0, outputs_per_group = 0;
  const ChannelStatistics& input;
  const ChannelStatistics& output;
};

double step_of(const ChannelStatistics& s, const std::vector<double>& factors) {
  double low = 0, high = 0;
  for (size_t c = 0; c < factors.size(); ++c) {
    low = std::min(low, s.low[c] * factors[c]);
    high = std::max(high, s.high[c] * factors[c]);
  }
  return (high - low) / 255;
}

// The mean over the outputs of the error's share of the output, when inputs and weights are rounded that have
// been multiplied and divided by `factors` (one per input channel).
double rounding_error(const Layer& layer, const std::vector<double>& factors) {
  const double step = step_of(layer.input, factors);
  double total = 0;
  for (size_t o = 0; o < layer.outputs; ++o) {
    const float* w = layer.weights.data() + o * layer.row;
    const size_t first = layer.first_input(o);
    double largest = 0;
    for (size_t i = 0; i < layer.row; ++i)
      largest = std::max(largest, std::fabs(w[i]) / factors[first + i % layer.per_group]);
    const double weight_step = largest / 127;
    double error = 0;
    for (size_t i = 0; i < layer.row && weight_step > 0; ++i) {
      const size_t c = first + i % layer.per_group;
      const double of_input = static_cast<double>(w[i]) * step / factors[c];
      const double scaled = static_cast<double>(w[i]) / factors[c] / weight_step;
      const double of_weight = (scaled - std::nearbyint(scaled)) * weight_step * factors[c];
      error += of_input * of_input / 12 + of_weight * of_weight * layer.input.power[c];
    }
    const double power = layer.output.power[o];
    total += power > 0 ? std::min(error / power, 1.0) : 0.0;
  }
  return total / static_cast<double>(layer.outputs);
}

class Equalizer {
 public:
  Equalizer(Graph& graph, const ScaleUnits& units, const Observations& seen)
      : graph_(graph), units_(units), seen_(seen) {}

  // All factors are chosen before the first weights change: the statistics are those of the old ones.
  bool run() {
    bool changed = false;
    std::vector<std::vector<double>> chosen;
    for (const ScaleProblem& problem : units_.problems) chosen.push_back(best_factors(problem));
    for (size_t p = 0; p < chosen.size(); ++p) {
      if (chosen[p].empty()) continue;
      changed = true;
      scale_channels(graph_, units_, units_.problems[p], chosen[p]);
    }
    return changed;
  }

 private:
  double error(const ScaleProblem& problem, const std::vector<double>& factors) const {
    double sum = 0;
    for (int index : problem.readers) {
      const Node& node = graph_.nodes[static_cast<size_t>(index)];
      const Layer layer(graph_, node, seen_);
      if (layer.usual()) sum += rounding_error(layer, factors_of(units_, node.inputs[0], factors));
    }
    return sum;
  }

  // The largest magnitude of each unit.
  std::vector<double> ranges(const ScaleProblem& problem) const {
    std::vector<double> result(static_cast<size_t>(problem.units), 0.0);
    for (ValueId id : problem.values) {
      const ChannelStatistics& s = seen_.of(id);
      const std::vector<int>& unit = units_.unit_of[static_cast<size_t>(id)];
      for (size_t c = 0; c < unit.size(); ++c) {
        double& range = result[static_cast<size_t>(unit[c])];
        range = std::max(range, s.reach(c));
      }
    }
    return result;
  }

  // The largest weight by which each unit is multiplied, relative to the output.
  std::vector<double> demands(const ScaleProblem& problem) const {
    std::vector<double> result(static_cast<size_t>(problem.units), 0.0);
    for (int index : problem.readers) {
      const Node& node = graph_.nodes[static_cast<size_t>(index)];
      const Layer layer(graph_, node, seen_);
      const std::vector<int>& unit = units_.unit_of[static_cast<size_t>(node.inputs[0])];
      if (!layer.usual()) continue;
      for (size_t i = 0; i < layer.weights.size(); ++i) {
        const size_t o = i / layer.row, c = layer.first_input(o) + i % layer.per_group;
        if (layer.output.power[o] <= 0) continue;
        double& demand = result[static_cast<size_t>(unit[c])];
        demand = std::max(
            demand, std::fabs(static_cast<double>(layer.weights[i])) / std::sqrt(layer.output.power[o]));
      }
    }
    return result;
  }

  // The largest factor of each unit that crosses no limit; those that have reached one must stay at 1.
  void find_limits(const ScaleProblem& problem, std::vector<double>& most, std::vector<bool>& fixed) const {
    for (const ClampedValue& clamp : problem.clamps) {
      const ChannelStatistics& s = seen_.of(clamp.id);
      const std::vector<int>& unit = units_.unit_of[static_cast<size_t>(clamp.id)];
      const auto limit = [&](size_t u, float extreme, float bound) {
        if (bound == 0 || !std::isfinite(bound)) return;
        const float share = extreme / bound;
        if (share >= kReached) fixed[u] = true;
        if (share > 0) most[u] = std::min(most[u], 1.0 / static_cast<double>(share));
      };
      const bool shifts = clamp.low > 0 || clamp.high < 0;  // 0 itself is out of bounds
      for (size_t c = 0; c < unit.size(); ++c) {
        const size_t u = static_cast<size_t>(unit[c]);
        if (shifts) fixed[u] = true;
        limit(u, s.low[c], clamp.low);
        limit(u, s.high[c], clamp.high);
      }
    }
  }

  // Empty: no factors are worthwhile.
  std::vector<double> best_factors(const ScaleProblem& problem) const {
    if (problem.readers.empty()) return {};
    const size_t units = static_cast<size_t>(problem.units);
    const std::vector<double> range = ranges(problem), demand = demands(problem);
    std::vector<double> most(units, kMostFactor);
    std::vector<bool> fixed(units, false);
    find_limits(problem, most, fixed);
    std::vector<double> best;
    double least = kWorthwhile * error(problem, std::vector<double>(units, 1.0));
    for (double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      const std::vector<double> factors = balanced(range, demand, share, most, fixed);
      const double found = error(problem, factors);
      if (found >= least) continue;
      least = found;
      best = factors;
    }
    return best;
  }

  static double nearest_factor(double wanted, double most) {
    const double factor = on_factor_grid(std::clamp(wanted, 1 / kMostFactor, most));
    return factor > most ? factor / kFactorRatio : factor;
  }

  // Factors between those that make all ranges alike (`share` 0) and those that make all weights alike (1).
  static std::vector<double> balanced(const std::vector<double>& range, const std::vector<double>& demand,
                                      double share, const std::vector<double>& most,
                                      const std::vector<bool>& fixed) {
    std::vector<double> factors(range.size(), 1.0);
    double before = 0, after = 0;
    for (size_t u = 0; u < range.size(); ++u) {
      before = std::max(before, range[u]);
      if (range[u] <= 0 || demand[u] <= 0 || fixed[u]) continue;
      factors[u] = std::pow(demand[u], share) / std::pow(range[u], 1 - share);
      after = std::max(after, factors[u] * range[u]);
    }
    if (after <= 0) return factors;
    for (size_t u = 0; u < range.size(); ++u) {
      if (range[u] <= 0 || demand[u] <= 0 || fixed[u]) continue;
      factors[u] = nearest_factor(factors[u] * before / after, most[u]);
    }
    return factors;
  }

  Graph& graph_;
  const ScaleUnits& units_;
  const Observations& seen_;
};

}  // namespace

bool equalize(Graph& graph, const PassContext& context, const std::vector<int>& which) {
  const ScaleUnits units = find_scale_units(graph);
  std::vector<ValueId> values;
  for (const ScaleProblem& problem : units.problems) {
    if (problem.readers.empty()) continue;
    values.insert(values.end(), problem.values.begin(), problem.values.end());
    for (int reader : problem.readers) {
      values.push_back(graph.nodes[static_cast<size_t>(reader)].inputs[0]);
      values.push_back(graph.nodes[static_cast<size_t>(reader)].outputs[0]);
    }
  }
  if (values.empty()) return false;
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const CalibrationSamples samples(graph, context, kMostSamples, which);
  const Observations seen(graph, values, samples);
  return Equalizer(graph, units, seen).run();
}

}  // namespace bantam::compiler
