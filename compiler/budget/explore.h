// Looks for the network that the budgets ask for, with as few trials as they allow: pruning is refined by
// bisection, since cost falls and the drop of accuracy rises with it, and smaller inputs are tried only while
// they save pruning.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "budget/budgets.h"

namespace bantam::compiler {

// What candidates cost and lose. Footprints are cheap, drops are not.
class Landscape {
 public:
  virtual ~Landscape() = default;
  // Empty: there is no such candidate, as when a layer would be left without channels.
  virtual std::optional<Footprint> footprint(const Candidate& candidate) = 0;
  // The finished network, with its drop measured.
  virtual Point finish(const Candidate& candidate) = 0;
  // Likewise of a mixed candidate. Empty: that cannot keep the budget of accuracy either.
  virtual std::optional<Point> mix(const Candidate&) { return std::nullopt; }
};

struct Exploration {
  std::vector<Point> points;      // all that were finished, in that order
  std::vector<Point> unfinished;  // of which only the footprint was looked at
  std::optional<Point> chosen;    // empty: the budgets contradict each other
  std::string reason;             // why the search ended where it did
};

// `precisions`: those to try, first the one that is expected to cost least. `inputs`: the sizes to try, the
// model's own first, then from the largest on.
Exploration explore(Landscape& landscape, const Budgets& budgets, const std::vector<Precision>& precisions,
                    const std::vector<InputSize>& inputs = {InputSize{}});

// For every budget that is not met together with the others: the point that comes nearest to it.
std::vector<Miss> nearest_points(const Exploration& exploration, const Budgets& budgets);

}  // namespace bantam::compiler
