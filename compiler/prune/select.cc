#include "prune/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

#include "bantam/compiler/error.h"
#include "emit/plan_writer.h"
#include "prune/kernel_work.h"

namespace bantam::compiler {
namespace {

constexpr double kTolerance = 1e-9;  // of the ratio

const char* unit_name(PruneUnit unit) {
  switch (unit) {
    case PruneUnit::kMacs:
      return "macs";
    case PruneUnit::kParams:
      return "params";
    case PruneUnit::kChannels:
      return "channels";
  }
  return "";
}

double node_macs(const Graph& graph, const Node& node) {
  return static_cast<double>(multiply_accumulates(graph, node));
}

// Weights and biases; not what every other constant holds.
double node_params(const Graph& graph, const Node& node) {
  double count = 0;
  for (size_t i = 1; has_weights(node.code) && i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue) count += static_cast<double>(element_count(graph.shape(node.inputs[i])));
  }
  return count;
}

class Selector {
 public:
  Selector(const Graph& graph, const Structure& structure, const std::vector<Ranking>& rankings,
           const PruneOptions& options)
      : shapes_(graph), structure_(structure), rankings_(rankings), options_(options) {
    for (Value& value : shapes_.values) value.constant = nullptr;
    find_axes();
    taken_.assign(structure.groups.size(), 0);
    total_ = cost();
  }

  Selection select() {
    options_.per_layer ? take_evenly() : take_cheapest();
    return result();
  }

 private:
  struct Axis {
    ValueId id;
    size_t axis;
    int64_t per_unit;
  };
  struct GroupAxes {
    std::vector<Axis> axes;
    std::vector<size_t> nodes;  // whose cost depends on them
  };

  void find_axes() {
    axes_.resize(structure_.groups.size());
    std::vector<int> group_of(static_cast<size_t>(structure_.units), -1);
    for (size_t g = 0; g < structure_.groups.size(); ++g) {
      for (int unit : structure_.groups[g].units) group_of[static_cast<size_t>(unit)] = static_cast<int>(g);
    }
    std::vector<std::set<size_t>> groups_of_value(shapes_.values.size());
    for (size_t v = 0; v < structure_.unit_of.size(); ++v) {
      for (size_t axis = 0; axis < structure_.unit_of[v].size(); ++axis) {
        std::map<int, int64_t> indices;
        for (int unit : structure_.unit_of[v][axis]) {
          if (unit >= 0) ++indices[group_of[static_cast<size_t>(unit)]];
        }
        for (const auto& [g, count] : indices) {
          GroupAxes& group = axes_[static_cast<size_t>(g)];
          const int64_t units = static_cast<int64_t>(structure_.groups[static_cast<size_t>(g)].units.size());
          group.axes.push_back({static_cast<ValueId>(v), axis, count / units});
          groups_of_value[v].insert(static_cast<size_t>(g));
        }
      }
    }
    for (size_t n = 0; n < shapes_.nodes.size(); ++n) {
      std::set<size_t> touching;
      const Node& node = shapes_.nodes[n];
      for (const auto* ids : {&node.inputs, &node.outputs}) {
        for (ValueId id : *ids) {
          if (id != kNoValue)
            touching.insert(groups_of_value[static_cast<size_t>(id)].begin(),
                            groups_of_value[static_cast<size_t>(id)].end());
        }
      }
      for (size_t g : touching) axes_[g].nodes.push_back(n);
    }
  }

  double node_cost(const Node& node) const {
    return options_.unit == PruneUnit::kMacs ? node_macs(shapes_, node) : node_params(shapes_, node);
  }

  double cost() const {
    double sum = 0;
    if (options_.unit == PruneUnit::kChannels) {
      for (size_t g = 0; g < taken_.size(); ++g) sum += static_cast<double>(units(g) - taken_[g]);
    } else {
      for (const Node& node : shapes_.nodes) sum += node_cost(node);
    }
    return sum;
  }

  void shrink(size_t g, size_t count, int64_t sign) {
    for (const Axis& a : axes_[g].axes)
      shapes_.value(a.id).type.shape[a.axis] -= sign * a.per_unit * static_cast<int64_t>(count);
  }

  template <typename CostOf>
  double saving(size_t g, size_t count, const CostOf& cost_of) {
    const auto local = [&] {
      double sum = 0;
      for (size_t n : axes_[g].nodes) sum += cost_of(shapes_.nodes[n]);
      return sum;
    };
    const double before = local();
    shrink(g, count, 1);
    const double after = local();
    shrink(g, count, -1);
    return before - after;
  }

  double saving(size_t g, size_t count) {
    if (options_.unit == PruneUnit::kChannels) return static_cast<double>(count);
    return saving(g, count, [&](const Node& node) { return node_cost(node); });
  }

  // What taking `count` units is worth, where nothing counts that is saved beyond what is `missing`.
  double worth(size_t g, size_t count, double missing) {
    const double saved = saving(g, count);
    if (saved <= 0 || !options_.for_time) return std::min(saved, missing);
    return std::min(1.0, missing / saved) *
           saving(g, count, [&](const Node& node) { return kernel_work(shapes_, node); });
  }

  size_t units(size_t g) const { return structure_.groups[g].units.size(); }

  // Small layers in finer steps: an eighth of a layer at most.
  size_t tile(size_t g) const {
    if (options_.tile > 0) return static_cast<size_t>(options_.tile);
    return std::clamp(std::bit_floor(std::max<size_t>(units(g) / 8, 1)), size_t{1}, kKernelTile);
  }

  // How many units to take next, so that a multiple of the tile is left; 0: no more can go.
  size_t next_step(size_t g) const {
    const size_t left = units(g) - taken_[g];
    const size_t size = tile(g);
    if (rankings_[g].loss.empty() || left <= size) return 0;
    const size_t step = left % size == 0 ? size : left % size;
    return taken_[g] + step <= rankings_[g].order.size() ? step : 0;
  }

  void take(size_t g, size_t count) {
    shrink(g, count, 1);
    taken_[g] += count;
  }

  void untake(size_t g, size_t count) {
    shrink(g, count, -1);
    taken_[g] -= count;
  }

  double share() const { return total_ > 0 ? 1 - cost() / total_ : 0; }

  // Loss per worth of the next `step` units, or of as many more as make it the least: a steep start may lead
  // to a long flat stretch, and kernels save work by whole tiles.
  double price(size_t g, size_t step, double missing) {
    const std::vector<double>& loss = rankings_[g].loss;
    const double first = worth(g, step, missing) / static_cast<double>(step);
    double least = std::numeric_limits<double>::infinity();
    for (size_t k = step; taken_[g] + k < std::min(loss.size(), units(g)); k += tile(g)) {
      const double gained = options_.for_time ? worth(g, k, missing) : first * static_cast<double>(k);
      if (gained > 0) least = std::min(least, (loss[taken_[g] + k] - loss[taken_[g]]) / gained);
    }
    return least;
  }

  void take_cheapest() {
    while (share() < options_.ratio - kTolerance) {
      const double missing = cost() - (1 - options_.ratio) * total_;
      size_t best = taken_.size();
      double least = std::numeric_limits<double>::infinity();
      for (size_t g = 0; g < taken_.size(); ++g) {
        const size_t step = next_step(g);
        const double asked = step > 0 ? price(g, step, missing) : std::numeric_limits<double>::infinity();
        if (asked < least) {
          best = g;
          least = asked;
        }
      }
      if (best == taken_.size()) fail_short();
      steps_.emplace_back(best, next_step(best));
      take(best, steps_.back().second);
    }
    give_back();
  }

  // Steps that a larger one after them has made needless, those with the most loss first.
  void give_back() {
    while (true) {
      size_t worst = steps_.size();
      double most = 0;
      for (size_t i = 0; i < steps_.size(); ++i) {
        const auto [g, step] = steps_[i];
        const bool last = std::none_of(steps_.begin() + static_cast<ptrdiff_t>(i) + 1, steps_.end(),
                                       [g = g](const auto& later) { return later.first == g; });
        const std::vector<double>& loss = rankings_[g].loss;
        const double gain = loss[taken_[g]] - loss[taken_[g] - step];
        if (last && gain > most && reaches_without(g, step)) {
          worst = i;
          most = gain;
        }
      }
      if (worst == steps_.size()) return;
      untake(steps_[worst].first, steps_[worst].second);
      steps_.erase(steps_.begin() + static_cast<ptrdiff_t>(worst));
    }
  }

  bool reaches_without(size_t g, size_t step) {
    untake(g, step);
    const bool reaches = share() >= options_.ratio - kTolerance;
    take(g, step);
    return reaches;
  }

  // The same share of every group, as small as serves the ratio.
  void take_evenly() {
    constexpr int kSteps = 1000;
    for (int i = 1; i <= kSteps && share() < options_.ratio - kTolerance; ++i) {
      for (size_t g = 0; g < taken_.size(); ++g) {
        const double wanted = static_cast<double>(units(g)) * i / kSteps;
        for (size_t step = next_step(g); step > 0 && static_cast<double>(taken_[g] + step) <= wanted;
             step = next_step(g))
          take(g, step);
      }
    }
    if (share() < options_.ratio - kTolerance) fail_short();
  }

  [[noreturn]] void fail_short() const {
    const std::string asked = fmt::format("--prune {:g}%{}", options_.ratio * 100, unit_name(options_.unit));
    const std::string why = structure_.fixed.empty()
                                ? ""
                                : fmt::format("; '{}' has to stay whole: {}", structure_.fixed[0].name,
                                              structure_.fixed[0].reason);
    if (structure_.groups.empty())
      throw CompileError(fmt::format("{}: the model has no channels that can be removed{}", asked, why));
    size_t smallest = 0;
    for (size_t g = 0; g < taken_.size(); ++g) {
      if (units(g) - taken_[g] < units(smallest) - taken_[smallest]) smallest = g;
    }
    throw CompileError(
        fmt::format("{}: only {:.1f} % can go before layers are left without channels ('{}' has {} left, and "
                    "keeps a multiple of {}){}",
                    asked, share() * 100, structure_.groups[smallest].name,
                    units(smallest) - taken_[smallest], tile(smallest), why));
  }

  Selection result() const {
    Selection selection;
    selection.removed.assign(static_cast<size_t>(structure_.units), false);
    selection.per_group = taken_;
    selection.share = share();
    for (size_t g = 0; g < taken_.size(); ++g) {
      for (size_t i = 0; i < taken_[g]; ++i) {
        const size_t index = static_cast<size_t>(rankings_[g].order[i]);
        selection.removed[static_cast<size_t>(structure_.groups[g].units[index])] = true;
      }
    }
    return selection;
  }

  Graph shapes_;  // types only: shrink as units are taken
  const Structure& structure_;
  const std::vector<Ranking>& rankings_;
  const PruneOptions& options_;
  std::vector<GroupAxes> axes_;
  std::vector<size_t> taken_;                     // by group
  std::vector<std::pair<size_t, size_t>> steps_;  // groups and how many of their units, as they were taken
  double total_ = 0;
};

}  // namespace

Selection select_units(const Graph& graph, const Structure& structure, const std::vector<Ranking>& rankings,
                       const PruneOptions& options) {
  return Selector(graph, structure, rankings, options).select();
}

double count_macs(const Graph& graph) {
  double sum = 0;
  for (const Node& node : graph.nodes) sum += node_macs(graph, node);
  return sum;
}

double count_params(const Graph& graph) {
  double sum = 0;
  for (const Node& node : graph.nodes) sum += node_params(graph, node);
  return sum;
}

}  // namespace bantam::compiler
