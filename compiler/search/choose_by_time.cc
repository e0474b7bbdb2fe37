#include "search/choose_by_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "bantam/compiler/error.h"

namespace bantam::compiler {
namespace {

constexpr double kClear = 1.1;         // times of which one is less than this many times the other are equal
constexpr double kLeastShare = 0.003;  // of the network's time, that a change of precision has to save
constexpr size_t kLongestRun = 12;     // ops that follow one slow op into float
constexpr int kPatience = 3;           // ops that a run grows by without a gain
constexpr double kNoiseMs = 0.02;      // of a whole run, that is noise
constexpr double kTooShortMs = 0.05;   // to tell whether a plan is slower
constexpr size_t kNamed = 4;           // ops at fault, in the message

// Grows runs of float ops around those that are slow in int8.
class Runs {
 public:
  Runs(const Graph& graph, const OpCosts& costs) : graph_(graph), costs_(costs), uses_(graph) {
    kept_.assign(graph.nodes.size(), false);
    cost_ = costs.predict(kept_);
    least_gain_ = kLeastShare * cost_;
  }

  KeptFloat find() {
    for (size_t seed : seeds()) {
      if (!kept_[seed]) grow(seed);
    }
    return kept_;
  }

 private:
  double loss(size_t node) const { return costs_.int8(node) - costs_.in_float(node); }

  std::vector<size_t> seeds() const {
    const std::vector<bool> int8 = int8_nodes(graph_, kept_);
    std::vector<size_t> seeds;
    for (size_t i = 0; i < int8.size(); ++i) {
      if (int8[i] && costs_.int8(i) > kClear * costs_.in_float(i) && loss(i) > least_gain_)
        seeds.push_back(i);
    }
    std::stable_sort(seeds.begin(), seeds.end(), [&](size_t a, size_t b) { return loss(a) > loss(b); });
    return seeds;
  }

  std::set<size_t> neighbours(const KeptFloat& kept, const std::vector<size_t>& run) const {
    std::set<size_t> found;
    const auto add = [&](int node) {
      if (node >= 0 && !kept[static_cast<size_t>(node)]) found.insert(static_cast<size_t>(node));
    };
    for (size_t i : run) {
      for (ValueId id : graph_.nodes[i].inputs) {
        if (id != kNoValue) add(uses_.producer[static_cast<size_t>(id)]);
      }
      for (int reader : uses_.readers[static_cast<size_t>(graph_.nodes[i].outputs[0])]) add(reader);
    }
    return found;
  }

  void grow(size_t seed) {
    KeptFloat kept = kept_, best_kept = kept_;
    kept[seed] = true;
    std::vector<size_t> run = {seed};
    double best = cost_;
    int idle = 0;
    for (double cost = costs_.predict(kept);;) {
      idle = cost < best ? 0 : idle + 1;
      if (cost < best) {
        best = cost;
        best_kept = kept;
      }
      if (run.size() >= kLongestRun || idle > kPatience || !extend(kept, run, cost)) break;
    }
    if (cost_ - best < least_gain_) return;
    cost_ = best;
    kept_ = best_kept;
  }

  // Takes the neighbour with which the network costs least.
  bool extend(KeptFloat& kept, std::vector<size_t>& run, double& cost) const {
    size_t chosen = graph_.nodes.size();
    for (size_t i : neighbours(kept, run)) {
      kept[i] = true;
      const double with = costs_.predict(kept);
      kept[i] = false;
      if (chosen < graph_.nodes.size() && with >= cost) continue;
      chosen = i;
      cost = with;
    }
    if (chosen == graph_.nodes.size()) return false;
    kept[chosen] = true;
    run.push_back(chosen);
    return true;
  }

  const Graph& graph_;
  const OpCosts& costs_;
  Uses uses_;
  KeptFloat kept_;
  double cost_ = 0;
  double least_gain_ = 0;
};

bool clearly_slower(const PlanTimes& one, const PlanTimes& other) {
  return one.total_ms > kClear * other.total_ms + kNoiseMs;
}

// "conv1 (int8 1.20 ms, fp32 0.31 ms), ...": where most is lost, conversions first.
std::string ops_at_fault(const Graph& graph, const PlanTimes& times, const Graph& in_float,
                         const PlanTimes& float_times) {
  std::map<std::string, std::pair<double, double>> by_name;
  double conversions = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const bool conversion = is_conversion(graph.nodes[i].code);
    (conversion ? conversions : by_name[graph.nodes[i].name].first) += times.op_ms.at(i);
  }
  for (size_t i = 0; i < in_float.nodes.size(); ++i)
    by_name[in_float.nodes[i].name].second += float_times.op_ms.at(i);
  std::vector<std::pair<double, std::string>> losses;
  for (const auto& [name, ms] : by_name) {
    if (ms.first <= kClear * ms.second) continue;
    losses.emplace_back(ms.second - ms.first,
                        fmt::format("'{}' (int8 {:.3f} ms, fp32 {:.3f} ms)", name, ms.first, ms.second));
  }
  losses.emplace_back(-conversions, fmt::format("conversions ({:.3f} ms)", conversions));
  std::sort(losses.begin(), losses.end());
  std::string text;
  for (size_t i = 0; i < std::min(losses.size(), kNamed); ++i) text += (i > 0 ? ", " : "") + losses[i].second;
  return text;
}

}  // namespace

KeptFloat choose_by_time(const Graph& graph, const OpCosts& costs, const Quantizer& quantize,
                         const PassContext& context) {
  KeptFloat kept = Runs(graph, costs).find();
  if (std::find(kept.begin(), kept.end(), true) == kept.end()) return {};
  const std::vector<std::vector<std::byte>> plans = {finish(quantize({}), context).plan,
                                                     finish(quantize(kept), context).plan};
  const std::vector<PlanTimes> times = context.options.op_timer(plans);
  return times.at(1).total_ms < times.at(0).total_ms ? kept : KeptFloat();
}

void refuse_slower(const std::vector<std::byte>& plan, const Graph& graph, const Graph& in_float,
                   const PassContext& context) {
  const FinishedPlan reference = finish(in_float, context);
  const std::vector<std::vector<std::byte>> plans = {plan, reference.plan};
  std::vector<PlanTimes> times = context.options.op_timer(plans);
  if (times.at(1).total_ms < kTooShortMs || !clearly_slower(times[0], times[1])) return;
  times = context.options.op_timer(plans);  // once more: what else went on may have been to blame
  if (!clearly_slower(times.at(0), times.at(1))) return;
  throw CompileError(fmt::format(
      "the int8 plan takes {:.3f} ms, the same network in fp32 {:.3f} ms; at fault: {}. {}--precision fp32 "
      "is faster "
      "here; --allow-slower writes the int8 plan all the same",
      times[0].total_ms, times[1].total_ms, ops_at_fault(graph, times[0], reference.graph, times[1]),
      context.options.choose_by_time ? "" : "--device-profile this keeps such ops in float32; "));
}

}  // namespace bantam::compiler
