#include "search/meet_drop.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "bantam/compiler/error.h"

namespace bantam::compiler {
namespace {

constexpr size_t kMostReturns = 12;  // units that are tried in int8 again at the end

class Search {
 public:
  Search(const Graph& graph, const Judge& judge, const Quantizer& quantize, const KeptFloat& kept,
         PassContext& context, std::vector<Unit> units)
      : graph_(graph),
        judge_(judge),
        quantize_(quantize),
        kept_(kept),
        context_(context),
        units_(std::move(units)) {
    order_.resize(units_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      return units_[a].noise * units_[b].cost > units_[b].noise * units_[a].cost;
    });
  }

  MetDrop run(const Verdict& all_int8) {
    closest_ = all_int8;
    const size_t least = fewest();
    std::vector<bool> chosen = first(least);
    Verdict verdict = *met_;
    give_back(least, chosen, verdict);
    return {units_, chosen, keep_units(graph_, units_, chosen, kept_), verdict};
  }

 private:
  std::vector<bool> first(size_t count) const {
    std::vector<bool> chosen(units_.size(), false);
    for (size_t i = 0; i < count; ++i) chosen[order_[i]] = true;
    return chosen;
  }

  bool meets(const std::vector<bool>& chosen, Verdict& verdict) {
    if (context_.options.progress)
      context_.options.progress("look for what stays float", 1 - 1.0 / (2 + ++tried_ / 4.0));
    verdict = judge_.judge(quantize_(keep_units(graph_, units_, chosen, kept_)));
    return verdict.drop <= *context_.options.max_drop;
  }

  // Doubling, then halving, the number of units taken in order.
  size_t fewest() {
    size_t low = 0, high = 1;
    Verdict verdict;
    const size_t most = units_.size() - 1;  // one at least is int8
    for (;; high = std::min(high * 2, most)) {
      if (most == 0) refuse();
      if (meets(first(high), verdict)) break;
      if (verdict.drop < closest_.drop) {
        closest_ = verdict;
        closest_count_ = high;
      }
      if (high == most) refuse();
      low = high;
    }
    met_ = verdict;
    while (high - low > 1) {
      const size_t middle = low + (high - low) / 2;
      if (meets(first(middle), verdict)) {
        high = middle;
        met_ = verdict;
      } else {
        low = middle;
      }
    }
    return high;
  }

  // Some went before the one that mattered and need not have: the costly ones are tried first.
  void give_back(size_t count, std::vector<bool>& chosen, Verdict& verdict) {
    std::vector<size_t> taken(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(count - 1));
    std::stable_sort(taken.begin(), taken.end(),
                     [&](size_t a, size_t b) { return units_[a].cost > units_[b].cost; });
    if (taken.size() > kMostReturns) taken.resize(kMostReturns);
    for (size_t unit : taken) {
      chosen[unit] = false;
      Verdict without;
      if (meets(chosen, without)) {
        verdict = without;
      } else {
        chosen[unit] = true;
      }
    }
  }

  [[noreturn]] void refuse() const {
    throw CompileError(fmt::format(
        "--max-drop {:g}% cannot be met in int8, not even with one of {} ops in it; closest comes int8 with "
        "{} ops kept "
        "in float32: {}. Give more, or more typical, calibration samples, a larger drop, or --precision fp32",
        100 * *context_.options.max_drop, units_.size(), closest_count_, verdict_text(closest_)));
  }

  const Graph& graph_;
  const Judge& judge_;
  const Quantizer& quantize_;
  const KeptFloat& kept_;
  PassContext& context_;
  std::vector<Unit> units_;
  std::vector<size_t> order_;  // of the units, most noise per cost first
  Verdict closest_;
  size_t closest_count_ = 0;
  std::optional<Verdict> met_;
  int tried_ = 0;
};

}  // namespace

MetDrop meet_drop(const Graph& graph, const Judge& judge, const OpCosts& costs, const Quantizer& quantize,
                  const KeptFloat& kept, PassContext& context) {
  const Verdict verdict = judge.judge(quantize(kept));
  std::vector<Unit> units = find_units(graph);
  if (verdict.drop <= *context.options.max_drop)
    return {units, std::vector<bool>(units.size(), false), kept, verdict};
  if (units.empty()) throw CompileError("--max-drop: the model has no op that could run in int8");
  // What int8 costs a unit is told from what came before, such as pruning, by comparing with `graph` itself.
  std::optional<Judge> own;
  if (context.judge != nullptr) own.emplace(graph, context, *context.options.test);
  measure_units(graph, own ? *own : judge, costs, quantize, context, units);
  return Search(graph, judge, quantize, kept, context, std::move(units)).run(verdict);
}

}  // namespace bantam::compiler
