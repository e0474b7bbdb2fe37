#include "stages/follow_scaling.h"

#include <algorithm>
#include <cmath>

#include "tune/scale_channels.h"

namespace bantam::compiler {
namespace {

// Factors by problem and unit; those of a unit are told from the first layer that makes it.
class FactorReader {
 public:
  FactorReader(const Graph& graph, const PlanReader& plan)
      : graph_(graph),
        plan_(plan),
        units_(find_scale_units(graph)),
        problem_of_(graph.values.size(), -1),
        factors_(units_.problems.size()) {
    for (size_t p = 0; p < units_.problems.size(); ++p) {
      factors_[p].assign(static_cast<size_t>(units_.problems[p].units), 0.0);
      for (ValueId id : units_.problems[p].values) problem_of_[static_cast<size_t>(id)] = static_cast<int>(p);
    }
  }

  void run() {
    for (const Node& node : graph_.nodes) {
      if (multiplies_by_constants(graph_, node) && problem_of(node.outputs[0]) >= 0) read(node);
    }
    for (std::vector<double>& factors : factors_) std::replace(factors.begin(), factors.end(), 0.0, 1.0);
  }

  const ScaleUnits& units() const { return units_; }
  const std::vector<double>& factors(size_t problem) const { return factors_[problem]; }

 private:
  int problem_of(ValueId id) const { return problem_of_[static_cast<size_t>(id)]; }

  void read(const Node& node) {
    const std::vector<double> found = plan_.weight_norms(graph_.value(node.outputs[0]).name);
    const std::vector<double> exact = norms(node);
    const std::vector<int>& unit = units_.unit_of[static_cast<size_t>(node.outputs[0])];
    if (found.size() != exact.size() || found.size() != unit.size()) return;
    std::vector<double>& factors = factors_[static_cast<size_t>(problem_of(node.outputs[0]))];
    for (size_t o = 0; o < unit.size(); ++o) {
      double& factor = factors[static_cast<size_t>(unit[o])];
      if (factor == 0 && found[o] > 0 && exact[o] > 0) factor = on_factor_grid(found[o] / exact[o]);
    }
  }

  // Of each output's weights, the factors of the inputs divided out.
  std::vector<double> norms(const Node& node) const {
    const Tensor& weights = graph_.constant(node.inputs[1]);
    const std::span<const float> w = weights.as<float>();
    const int problem = problem_of(node.inputs[0]);
    std::vector<double> factor(static_cast<size_t>(graph_.shape(node.inputs[0]).back()), 1.0);
    if (problem >= 0) factor = factors_of(units_, node.inputs[0], factors_[static_cast<size_t>(problem)]);
    const InputChannel channel(weights.type.shape, static_cast<int64_t>(factor.size()));
    std::vector<double> result(static_cast<size_t>(weights.type.shape[0]), 0.0);
    const size_t row = w.size() / result.size();
    for (size_t i = 0; i < w.size(); ++i) {
      const double f = factor[channel(i)];
      result[i / row] += std::pow(w[i] / (f == 0 ? 1.0 : f), 2);
    }
    for (double& norm : result) norm = std::sqrt(norm);
    return result;
  }

  const Graph& graph_;
  const PlanReader& plan_;
  const ScaleUnits units_;
  std::vector<int> problem_of_;  // by value
  std::vector<std::vector<double>> factors_;
};

}  // namespace

void follow_scaling(Graph& graph, const PlanReader& plan) {
  FactorReader reader(graph, plan);
  reader.run();
  for (size_t p = 0; p < reader.units().problems.size(); ++p) {
    const std::vector<double>& factors = reader.factors(p);
    if (std::ranges::all_of(factors, [](double factor) { return factor == 1; })) continue;
    scale_channels(graph, reader.units(), reader.units().problems[p], factors);
  }
}

}  // namespace bantam::compiler
