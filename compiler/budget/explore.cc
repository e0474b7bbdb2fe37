#include "budget/explore.h"

#include <fmt/format.h>

#include <algorithm>

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

class Explorer {
 public:
  Explorer(Landscape& landscape, const Budgets& budgets) : landscape_(landscape), budgets_(budgets) {}

  Exploration run(const std::vector<Precision>& precisions) {
    for (Precision precision : precisions) search(precision);
    choose();
    return std::move(result_);
  }

 private:
  static Candidate at(Precision precision, int step) { return {precision, step * kStep}; }

  std::optional<Footprint> footprint(Precision precision, int step) {
    const Candidate candidate = at(precision, step);
    for (const Point& known : result_.points) {
      if (known.candidate == candidate) return known.footprint;
    }
    const std::optional<Footprint> seen = landscape_.footprint(candidate);
    if (seen) result_.unfinished.push_back({candidate, *seen, std::nullopt, {}});
    return seen;
  }

  const Point& finish(Precision precision, int step) {
    const Candidate candidate = at(precision, step);
    for (const Point& known : result_.points) {
      if (known.candidate == candidate) return known;
    }
    std::erase_if(result_.unfinished, [&](const Point& point) { return point.candidate == candidate; });
    result_.points.push_back(landscape_.finish(candidate));
    return result_.points.back();
  }

  // The step before the first from which on `holds` does not, by bisection; -1 when it never does.
  template <typename Holds>
  static int last_step(const Holds& holds) {
    int good = -1, bad = kSteps + 1;
    for (int step = 0; bad - good > 1; step = (good + bad) / 2) (holds(step) ? good : bad) = step;
    return good;
  }

  void search(Precision precision) {
    if (meets(budgets_, finish(precision, 0))) return prune_on(precision, 0);
    const int last = last_step([&](int step) { return footprint(precision, step).has_value(); });
    const int least =
        1 + last_step([&](int step) { return step <= last && !fits(budgets_, *footprint(precision, step)); });
    if (least > last) return approach(precision, last + 1);
    if (!meets(budgets_, finish(precision, least))) return approach(precision, least);
    prune_on(precision, least);
  }

  // More pruning than accuracy bears: how much it does bear, for those who ask what comes nearest.
  void approach(Precision precision, int bad) {
    if (!budgets_.drop || drop_excess(budgets_, finish(precision, 0)) > 0) return;
    constexpr int kTrials = 3;
    int good = 0;
    for (int trial = 0; trial < kTrials && bad - good > 1; ++trial) {
      const int step = (good + bad) / 2;
      (drop_excess(budgets_, finish(precision, step)) == 0 ? good : bad) = step;
    }
  }

  // The most pruning from `good` on that meets the budgets, where there is a reason for more.
  void prune_on(Precision precision, int good) {
    if (budgets_.goal == Goal::kDrop || !budgets_.drop) return;
    for (int bad = kSteps + 1; bad - good > 1;) {
      const int step = (good + bad) / 2;
      const bool there = footprint(precision, step).has_value();
      (there && meets(budgets_, finish(precision, step)) ? good : bad) = step;
    }
  }

  void choose() {
    for (const Point& point : result_.points) {
      if (!meets(budgets_, point)) continue;
      if (!result_.chosen || better(point, *result_.chosen)) result_.chosen = point;
    }
    result_.reason = result_.chosen ? reason_for(*result_.chosen) : "no network meets all budgets";
  }

  bool better(const Point& a, const Point& b) const {
    const double x = cost_of(a, budgets_.goal), y = cost_of(b, budgets_.goal);
    return x != y ? x < y : a.footprint.latency_ms < b.footprint.latency_ms;
  }

  std::string reason_for(const Point& chosen) const {
    if (budgets_.goal == Goal::kDrop) {
      return "of the networks that meet the budgets it loses least accuracy";
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

  Landscape& landscape_;
  const Budgets& budgets_;
  Exploration result_;
};

struct Kind {
  const char* name;
  double (*excess)(const Budgets&, const Point&);
};
constexpr Kind kKinds[] = {
    {"latency", latency_excess}, {"size", size_excess}, {"memory", memory_excess}, {"accuracy", drop_excess}};

std::string point_text(const Point& point) {
  return fmt::format("{}: {:.3f} ms, {:.3f} MB, memory {:.3f} MB{}", candidate_text(point.candidate),
                     point.footprint.latency_ms, static_cast<double>(point.footprint.size_bytes) * 1e-6,
                     static_cast<double>(point.footprint.memory_bytes) * 1e-6,
                     point.drop ? fmt::format(", {:.2f} % lost", *point.drop * 100) : "");
}

}  // namespace

Exploration explore(Landscape& landscape, const Budgets& budgets, const std::vector<Precision>& precisions) {
  return Explorer(landscape, budgets).run(precisions);
}

std::vector<std::string> nearest_points(const Exploration& exploration, const Budgets& budgets) {
  std::vector<Point> all = exploration.points;
  all.insert(all.end(), exploration.unfinished.begin(), exploration.unfinished.end());
  std::vector<std::string> lines;
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
    lines.push_back(fmt::format("{}: {}", kind.name, point_text(*nearest)));
  }
  return lines;
}

}  // namespace bantam::compiler
