#include "search/sensitivity.h"

#include <algorithm>
#include <atomic>

#include "ops/op_def.h"
#include "prune/data/samples.h"

namespace bantam::compiler {
namespace {

constexpr int kSamples = 16;         // per unit
constexpr double kLeastCost = 1e-3;  // of the network's, so that what is free still has an order

bool has_int8_weights(const Node& node) { return op_def(node.code).int8 == Int8Rule::kWeights; }

class UnitFinder {
 public:
  explicit UnitFinder(const Graph& graph) : graph_(graph), uses_(graph), int8_(int8_nodes(graph, {})) {
    taken_.assign(graph.nodes.size(), false);
  }

  std::vector<Unit> find() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (int8_[i] && has_int8_weights(graph_.nodes[i])) start(i);
    }
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (int8_[i] && !taken_[i]) join(i);
    }
    return std::move(units_);
  }

 private:
  int producer(ValueId id) const {
    const int node = id == kNoValue ? -1 : uses_.producer[static_cast<size_t>(id)];
    return node >= 0 && int8_[static_cast<size_t>(node)] ? node : -1;
  }

  void start(size_t node) {
    Unit unit{{node}, graph_.nodes[node].name};
    for (size_t next = 0; next < unit.nodes.size(); ++next) {
      for (ValueId id : data_inputs(graph_, graph_.nodes[unit.nodes[next]])) {
        const int from = producer(id);
        if (from < 0 || has_int8_weights(graph_.nodes[static_cast<size_t>(from)])) continue;
        const auto at = static_cast<size_t>(from);
        if (std::find(unit.nodes.begin(), unit.nodes.end(), at) == unit.nodes.end()) unit.nodes.push_back(at);
      }
    }
    for (size_t i : unit.nodes) taken_[i] = true;
    units_.push_back(std::move(unit));
  }

  // To a unit that makes one of its inputs; else it is one by itself.
  void join(size_t node) {
    taken_[node] = true;
    for (ValueId id : graph_.nodes[node].inputs) {
      const int from = producer(id);
      if (from < 0) continue;
      for (Unit& unit : units_) {
        if (std::find(unit.nodes.begin(), unit.nodes.end(), static_cast<size_t>(from)) == unit.nodes.end())
          continue;
        unit.nodes.push_back(node);
        return;
      }
    }
    units_.push_back(Unit{{node}, graph_.nodes[node].name});
  }

  const Graph& graph_;
  Uses uses_;
  std::vector<bool> int8_;
  std::vector<bool> taken_;
  std::vector<Unit> units_;
};

}  // namespace

std::vector<Unit> find_units(const Graph& graph) { return UnitFinder(graph).find(); }

void measure_units(const Graph& graph, const Judge& judge, const OpCosts& costs, const Quantizer& quantize,
                   const PassContext& context, std::vector<Unit>& units) {
  const double least = kLeastCost * costs.predict({});
  std::atomic<int> done = 0;
  for_each_index(static_cast<int>(units.size()), context.options, [&](int i) {
    Unit& unit = units[static_cast<size_t>(i)];
    KeptFloat others(graph.nodes.size(), true);
    double gain = 0;
    for (size_t node : unit.nodes) {
      others[node] = false;
      gain += costs.in_float(node) - costs.int8(node);
    }
    unit.cost = std::max(gain, least);
    unit.noise = judge.noise(quantize(others), kSamples);
    if (context.options.progress)
      context.options.progress("measure what int8 costs each op", ++done / static_cast<double>(units.size()));
  });
}

KeptFloat keep_units(const Graph& graph, const std::vector<Unit>& units, const std::vector<bool>& chosen,
                     const KeptFloat& also) {
  KeptFloat kept = also;
  kept.resize(graph.nodes.size(), false);
  for (size_t u = 0; u < units.size(); ++u) {
    for (size_t node : units[u].nodes) kept[node] = kept[node] || chosen[u];
  }
  return kept;
}

}  // namespace bantam::compiler
