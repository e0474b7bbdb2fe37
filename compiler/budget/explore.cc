#include "budget/explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

class Explorer {
 public:
  Explorer(Landscape& landscape, const Budgets& budgets) : landscape_(landscape), budgets_(budgets) {}

  Exploration run(const std::vector<Precision>& precisions) {
    for (Precision precision : precisions) search(precision);
    if (best() == nullptr) approach(precisions);
    conclude();
    return std::move(result_);
  }

 private:
  static Candidate at(Precision precision, int step) { return {precision, step * kStep}; }

  std::optional<Footprint> footprint(Precision precision, int step) {
    const Candidate candidate = at(precision, step);
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

  Point finish(Precision precision, int step) {
    const Candidate candidate = at(precision, step);
    if (const Point* known = find(candidate); known != nullptr) return *known;
    std::erase_if(result_.unfinished, [&](const Point& point) { return point.candidate == candidate; });
    result_.points.push_back(landscape_.finish(candidate));
    return result_.points.back();
  }

  // Where int8 alone costs too much accuracy: with ops in float32 that cost most of it, if that helps.
  Point finish_mixed(Precision precision, int step) {
    Point plain = finish(precision, step);
    if (precision != Precision::kInt8 || drop_excess(budgets_, plain) == 0) return plain;
    Candidate candidate = at(precision, step);
    candidate.mixed = true;
    if (const Point* known = find(candidate); known != nullptr) return *known;
    if (std::find(hopeless_.begin(), hopeless_.end(), step) != hopeless_.end()) return plain;
    const std::optional<Point> mixed = landscape_.mix(candidate);
    if (!mixed) {
      hopeless_.push_back(step);
      return plain;
    }
    result_.points.push_back(*mixed);
    return *mixed;
  }

  // The last step up to which `holds` does, which it does not beyond, by bisection; -1 when it never does.
  template <typename Holds>
  static int last_step(const Holds& holds) {
    int good = -1, bad = kSteps + 1;
    for (int step = 0; bad - good > 1; step = (good + bad) / 2) (holds(step) ? good : bad) = step;
    return good;
  }

  // The least pruning with which the budgets of everything but accuracy are met, and the goal is nearer than
  // by anything found so far; empty: none.
  std::optional<int> least_step(Precision precision) {
    const Point* rival = prunes_on() ? best() : nullptr;
    const auto serves = [&](const Point& point) {
      return fits(budgets_, point.footprint) && (rival == nullptr || better(point, *rival));
    };
    if (serves(finish(precision, 0))) return 0;
    const int last = last_step([&](int step) { return footprint(precision, step).has_value(); });
    last_.emplace_back(precision, last);
    const int before = last_step([&](int step) {
      if (step > last) return false;
      return !serves({at(precision, step), *footprint(precision, step), std::nullopt, {}});
    });
    if (before >= last) return std::nullopt;
    return before + 1;
  }

  bool prunes_on() const { return budgets_.goal != Goal::kDrop && budgets_.drop; }

  void search(Precision precision) {
    const double whole_drop = finish(precision, 0).drop.value_or(0);
    const std::optional<int> least = least_step(precision);
    if (!least) return;
    // Pruning costs accuracy, never gains any worth the time.
    const Point* rival = best();
    if (*least > 0 && budgets_.goal == Goal::kDrop && rival != nullptr && *rival->drop <= whole_drop) return;
    if (meets(budgets_, finish_mixed(precision, *least)) && prunes_on()) prune_on(precision, *least);
  }

  // The most pruning from `good` on that meets the budgets.
  void prune_on(Precision precision, int good) {
    for (int bad = kSteps + 1; bad - good > 1;) {
      const int step = (good + bad) / 2;
      const bool there = footprint(precision, step).has_value();
      (there && meets(budgets_, finish_mixed(precision, step)) ? good : bad) = step;
    }
  }

  // Nothing meets the budgets: how much pruning accuracy bears, for those who ask what comes nearest.
  void approach(const std::vector<Precision>& precisions) {
    constexpr int kTrials = 3;
    if (!budgets_.drop) return;
    for (Precision precision : precisions) {
      if (drop_excess(budgets_, finish_mixed(precision, 0)) > 0) continue;
      int good = 0, bad = kSteps + 1;
      for (const auto& [known, last] : last_) {
        if (known != precision) continue;
        bad = last + 1;
        if (drop_excess(budgets_, finish_mixed(precision, last)) == 0) return;  // more cannot go
      }
      for (const Point& point : result_.points) {
        if (point.candidate.precision != precision || point.candidate.pruned == 0 ||
            drop_excess(budgets_, point) == 0)
          continue;
        bad = std::min(bad, static_cast<int>(std::lround(point.candidate.pruned / kStep)));
      }
      for (int trial = 0; trial < kTrials && bad - good > 1; ++trial) {
        const int step = (good + bad) / 2;
        (drop_excess(budgets_, finish_mixed(precision, step)) == 0 ? good : bad) = step;
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
      return "of the networks that meet the budgets it loses least accuracy" + reason_for_pruning(chosen);
    }
    if (!budgets_.drop) return "without --max-drop nothing says how much accuracy more pruning may cost";
    const double next = chosen.candidate.pruned + kStep;
    const auto beyond = std::find_if(result_.points.begin(), result_.points.end(), [&](const Point& point) {
      return point.candidate.precision == chosen.candidate.precision &&
             point.candidate.pruned > chosen.candidate.pruned && point.candidate.pruned < next + 1e-9;
    });
    if (beyond != result_.points.end() && beyond->drop) {
      return fmt::format("with {:.0f} % pruned, {:.2f} % of the accuracy would go",
                         beyond->candidate.pruned * 100, *beyond->drop * 100);
    }
    return "more channels cannot go";
  }

  // What kept it from pruning less.
  std::string reason_for_pruning(const Point& chosen) const {
    if (chosen.candidate.pruned == 0) return "; nothing had to be pruned";
    const Candidate less{chosen.candidate.precision, chosen.candidate.pruned - kStep};
    for (const std::vector<Point>* points : {&result_.points, &result_.unfinished}) {
      for (const Point& point : *points) {
        if (point.candidate.precision != less.precision ||
            std::fabs(point.candidate.pruned - less.pruned) > kStep / 2)
          continue;
        for (const Kind& kind : kKinds) {
          if (kind.excess(budgets_, point) > 0 && (point.drop || kind.excess != drop_excess))
            return fmt::format("; with {:.0f} % pruned it would miss the budget of {} by {:.1f} %",
                               less.pruned * 100, kind.name, 100 * kind.excess(budgets_, point));
        }
      }
    }
    return "";
  }

  Landscape& landscape_;
  const Budgets& budgets_;
  Exploration result_;
  std::vector<int> hopeless_;  // steps at which int8 with ops in float32 loses too much, too
  std::vector<std::pair<Precision, int>> last_;  // the step beyond which no channels are left to take
};

}  // namespace

Exploration explore(Landscape& landscape, const Budgets& budgets, const std::vector<Precision>& precisions) {
  return Explorer(landscape, budgets).run(precisions);
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
