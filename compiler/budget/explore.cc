#include "budget/explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace bantam::compiler {
namespace {

constexpr int kSteps = 16;      // of pruning
constexpr double kStep = 0.05;  // of the macs

double cost_of(const Point& point, Goal goal) {
  switch (goal) {
    case Goal::kLatency:
      return point.footprint.latency_ms;
    case Goal::kSize:
      return static_cast<double>(point.footprint.size_bytes);
    case Goal::kMemory:
      return static_cast<double>(point.footprint.memory_bytes);
    case Goal::kEnergy:
      return point.footprint.energy_mj;
    case Goal::kDrop:
      break;
  }
  return point.drop.value_or(0);
}

struct Kind {
  const char* name;
  double (*excess)(const Budgets&, const Point&);
};
constexpr Kind kKinds[] = {
    {"latency", latency_excess}, {"size", size_excess}, {"memory", memory_excess}, {"accuracy", drop_excess}};

// Networks that differ only in pruning.
struct Series {
  Precision precision = Precision::kInt8;
  size_t input = 0;  // index into the sizes to try
};

class Explorer {
 public:
  Explorer(Landscape& landscape, const Budgets& budgets, const std::vector<InputSize>& inputs)
      : landscape_(landscape), budgets_(budgets), inputs_(inputs) {}

  Exploration run(const std::vector<Precision>& precisions) {
    for (Precision precision : precisions) search(precision);
    if (best() == nullptr) approach(precisions);
    conclude();
    return std::move(result_);
  }

 private:
  Candidate at(const Series& series, int step) const {
    return {series.precision, step * kStep, false, inputs_[series.input]};
  }

  std::optional<Footprint> footprint(const Series& series, int step) {
    const Candidate candidate = at(series, step);
    if (const Point* known = find(candidate); known != nullptr) return known->footprint;
    for (const Point& known : result_.unfinished) {
      if (known.candidate == candidate) return known.footprint;
    }
    const std::optional<Footprint> seen = landscape_.footprint(candidate);
    if (seen) result_.unfinished.push_back({candidate, *seen, std::nullopt, {}});
    return seen;
  }

  const Point* find(const Candidate& candidate) const {
    for (const Point& known : result_.points) {
      if (known.candidate == candidate) return &known;
    }
    return nullptr;
  }

  Point finish(const Series& series, int step) {
    const Candidate candidate = at(series, step);
    if (const Point* known = find(candidate); known != nullptr) return *known;
    std::erase_if(result_.unfinished, [&](const Point& point) { return point.candidate == candidate; });
    result_.points.push_back(landscape_.finish(candidate));
    return result_.points.back();
  }

  // Where int8 alone costs too much accuracy: with ops in float32 that cost most of it, if that helps.
  Point finish_mixed(const Series& series, int step) {
    Point plain = finish(series, step);
    if (series.precision != Precision::kInt8 || drop_excess(budgets_, plain) == 0) return plain;
    Candidate candidate = at(series, step);
    candidate.mixed = true;
    if (const Point* known = find(candidate); known != nullptr) return *known;
    if (std::find(hopeless_.begin(), hopeless_.end(), candidate) != hopeless_.end()) return plain;
    const std::optional<Point> mixed = landscape_.mix(candidate);
    if (!mixed) {
      hopeless_.push_back(candidate);
      return plain;
    }
    result_.points.push_back(*mixed);
    return *mixed;
  }

  // The last step before `end` up to which `holds` does, which it does not beyond, by bisection; -1 when it
  // never does.
  template <typename Holds>
  static int last_step(int end, const Holds& holds) {
    int good = -1, bad = end;
    for (int step = 0; bad - good > 1; step = (good + bad) / 2) (holds(step) ? good : bad) = step;
    return good;
  }

  // The most pruning that there is, which hardly depends on the input.
  int most_step(const Series& series) {
    for (const auto& [precision, last] : last_) {
      if (precision == series.precision) return last;
    }
    const int last = last_step(kSteps + 1, [&](int step) { return footprint(series, step).has_value(); });
    last_.emplace_back(series.precision, last);
    return last;
  }

  // The least pruning, less than `end`, with which the budgets of everything but accuracy are met, and the
  // goal is nearer than by anything found so far; empty: none.
  std::optional<int> least_step(const Series& series, int end) {
    const Point* rival = prunes_on() ? best() : nullptr;
    const auto serves = [&](int step) {
      const std::optional<Footprint> seen = footprint(series, step);
      if (!seen || !fits(budgets_, *seen)) return false;
      return rival == nullptr || better({at(series, step), *seen, std::nullopt, {}}, *rival);
    };
    if (serves(0)) return 0;
    end = std::min(end, most_step(series) + 1);
    const int least = last_step(end, [&](int step) { return !serves(step); }) + 1;
    if (least >= end) return std::nullopt;
    return least;
  }

  bool prunes_on() const { return budgets_.goal != Goal::kDrop && budgets_.drop; }

  // Pruning and a smaller input cost accuracy, never gain any worth the time: a smaller input is worth it
  // where it needs less pruning, until that loses more than the larger one.
  void search(Precision precision) {
    finish({precision, 0}, 0);
    int end = kSteps + 1;
    double lost = std::numeric_limits<double>::infinity();
    for (size_t input = 0; input < inputs_.size(); ++input) {
      const Series series{precision, input};
      if (input > 0 && loses_too_much(series)) return;
      if (const std::optional<int> least = least_step(series, end)) {
        if ((*least > 0 || input > 0) && loses_too_much({precision, 0})) return;
        const Point point = finish_mixed(series, *least);
        if (budgets_.goal == Goal::kDrop && point.drop.value_or(0) > lost) return;
        lost = point.drop.value_or(0);
        end = meets(budgets_, point) && prunes_on() ? prune_on(series, *least, end) + 1 : *least;
      }
      if (end == 0 || misses_size(series, std::min(end - 1, most_step(series)))) return;
    }
  }

  // Whether the unpruned network already loses what the best one does, when that is what counts, or in float
  // more than is allowed. It is finished for that only in float, which needs no calibration.
  bool loses_too_much(const Series& series) {
    const bool in_float = series.precision != Precision::kInt8;
    const Point* rival = budgets_.goal == Goal::kDrop ? best() : nullptr;
    if (find(at(series, 0)) == nullptr && !(in_float && (rival != nullptr || budgets_.drop))) return false;
    const double limit = rival != nullptr ? *rival->drop : std::numeric_limits<double>::infinity();
    const Point unpruned = finish(series, 0);
    return unpruned.drop.value_or(0) >= limit || (in_float && drop_excess(budgets_, unpruned) > 0);
  }

  // The plan's size is what no smaller input helps.
  bool misses_size(const Series& series, int step) {
    const std::optional<Footprint> seen = footprint(series, step);
    return seen && size_excess(budgets_, {at(series, step), *seen, std::nullopt, {}}) > 0;
  }

  // The most pruning from `good` on, and less than `bad`, that meets the budgets.
  int prune_on(const Series& series, int good, int bad) {
    while (bad - good > 1) {
      const int step = (good + bad) / 2;
      const bool there = footprint(series, step).has_value();
      (there && meets(budgets_, finish_mixed(series, step)) ? good : bad) = step;
    }
    return good;
  }

  bool keeps_drop(const Series& series, int step) {
    return drop_excess(budgets_, finish_mixed(series, step)) == 0;
  }

  // Nothing meets the budgets: how small an input and then how much pruning accuracy bears, for those who ask
  // what comes nearest.
  void approach(const std::vector<Precision>& precisions) {
    constexpr int kTrials = 3;
    if (!budgets_.drop) return;
    for (Precision precision : precisions) {
      Series series{precision, 0};
      if (!keeps_drop(series, 0)) continue;
      const int most = most_step(series);
      const size_t inputs = misses_size(series, most) ? 1 : inputs_.size();
      while (series.input + 1 < inputs && keeps_drop({precision, series.input + 1}, 0)) ++series.input;
      if (most > 0 && footprint(series, most) && keeps_drop(series, most)) return;  // more cannot go
      int good = 0, bad = most + 1;
      for (const Point& point : result_.points) {
        if (point.candidate.precision != precision || point.candidate.input != inputs_[series.input] ||
            point.candidate.pruned == 0 || drop_excess(budgets_, point) == 0)
          continue;
        bad = std::min(bad, static_cast<int>(std::lround(point.candidate.pruned / kStep)));
      }
      for (int trial = 0; trial < kTrials && bad - good > 1; ++trial) {
        const int step = (good + bad) / 2;
        (footprint(series, step) && keeps_drop(series, step) ? good : bad) = step;
      }
      return;  // the others cost more
    }
  }

  const Point* best() const {
    const Point* best = nullptr;
    for (const Point& point : result_.points) {
      if (meets(budgets_, point) && (best == nullptr || better(point, *best))) best = &point;
    }
    return best;
  }

  void conclude() {
    if (const Point* chosen = best(); chosen != nullptr) result_.chosen = *chosen;
    result_.reason = result_.chosen ? reason_for(*result_.chosen) : "the budgets contradict each other";
  }

  bool better(const Point& a, const Point& b) const {
    const double x = cost_of(a, budgets_.goal), y = cost_of(b, budgets_.goal);
    return x != y ? x < y : a.footprint.latency_ms < b.footprint.latency_ms;
  }

  std::string reason_for(const Point& chosen) const {
    if (budgets_.goal == Goal::kDrop) {
      return "of the networks that meet the budgets it loses least accuracy" + reason_for_cost(chosen);
    }
    if (!budgets_.drop) return "without --max-drop nothing says how much accuracy more pruning may cost";
    for (const Point& point : result_.points) {
      if (point.candidate.precision != chosen.candidate.precision ||
          !is_next(chosen.candidate, point.candidate) || drop_excess(budgets_, point) == 0)
        continue;
      return fmt::format("with {}, {:.2f} % of the accuracy would go", what_it_costs(point.candidate),
                         *point.drop * 100);
    }
    return inputs_.size() > 1 ? "nothing smaller that was tried keeps the accuracy"
                              : "more channels cannot go";
  }

  // What kept it from pruning less, or from a larger input.
  std::string reason_for_cost(const Point& chosen) const {
    if (chosen.candidate.pruned == 0 && chosen.candidate.input.is_own()) return "; nothing had to be pruned";
    for (const std::vector<Point>* points : {&result_.points, &result_.unfinished}) {
      for (const Point& point : *points) {
        if (point.candidate.precision != chosen.candidate.precision ||
            !is_next(point.candidate, chosen.candidate))
          continue;
        for (const Kind& kind : kKinds) {
          if (kind.excess(budgets_, point) > 0 && (point.drop || kind.excess != drop_excess))
            return fmt::format("; with {} it would miss the budget of {} by {:.1f} %",
                               what_it_costs(point.candidate), kind.name, 100 * kind.excess(budgets_, point));
        }
      }
    }
    return "";
  }

  // Whether `b` is `a` with one step more of pruning or, when neither is pruned, for the next smaller input.
  bool is_next(const Candidate& a, const Candidate& b) const {
    if (a.input == b.input) return std::fabs(b.pruned - a.pruned - kStep) < kStep / 2;
    const auto larger = std::find(inputs_.begin(), inputs_.end(), a.input);
    return a.pruned == 0 && b.pruned == 0 && larger + 1 != inputs_.end() && larger[1] == b.input;
  }

  std::string what_it_costs(const Candidate& candidate) const {
    std::string pruned = fmt::format("{:.0f} % pruned", candidate.pruned * 100);
    if (inputs_.size() == 1) return pruned;
    std::string input =
        candidate.input.is_own() ? "the model's own input" : "an input of " + size_text(candidate.input);
    return candidate.pruned == 0 ? input : input + " and " + pruned;
  }

  Landscape& landscape_;
  const Budgets& budgets_;
  const std::vector<InputSize>& inputs_;
  Exploration result_;
  std::vector<Candidate> hopeless_;              // int8 with ops in float32 that loses too much, too
  std::vector<std::pair<Precision, int>> last_;  // the step beyond which no channels are left to take
};

}  // namespace

Exploration explore(Landscape& landscape, const Budgets& budgets, const std::vector<Precision>& precisions,
                    const std::vector<InputSize>& inputs) {
  return Explorer(landscape, budgets, inputs).run(precisions);
}

std::vector<Miss> nearest_points(const Exploration& exploration, const Budgets& budgets) {
  std::vector<Point> all = exploration.points;
  all.insert(all.end(), exploration.unfinished.begin(), exploration.unfinished.end());
  std::vector<Miss> misses;
  for (const Kind& kind : kKinds) {
    // Those first that keep the other budgets, then those that miss them least.
    const auto others = [&](const Point& point) {
      double sum = 0;
      for (const Kind& other : kKinds) sum += other.name != kind.name ? other.excess(budgets, point) : 0;
      return sum;
    };
    const auto nearest = std::min_element(all.begin(), all.end(), [&](const Point& a, const Point& b) {
      const std::pair x{others(a), kind.excess(budgets, a)}, y{others(b), kind.excess(budgets, b)};
      return x < y;
    });
    if (nearest == all.end() || kind.excess(budgets, *nearest) == 0) continue;
    misses.push_back({kind.name, *nearest});
  }
  return misses;
}

}  // namespace bantam::compiler
