// The search against made-up networks whose best answer is known.
#include "budget/explore.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "budget/budgets.h"

namespace bantam::compiler {
namespace {

// int8 is four times as small and twice as fast as fp32; pruning a share p saves p of the time and size, and
// costs accuracy with its square. At most 60 % can go.
class Simple final : public Landscape {
 public:
  std::optional<Footprint> footprint(const Candidate& candidate) override {
    if (candidate.pruned > 0.6 + 1e-9) return std::nullopt;
    const bool int8 = candidate.precision == Precision::kInt8;
    const double left = 1 - candidate.pruned;
    return Footprint{(int8 ? 50 : 100) * left, static_cast<uint64_t>((int8 ? 1e6 : 4e6) * left),
                     static_cast<uint64_t>((int8 ? 2e6 : 8e6) * left), left};
  }

  Point finish(const Candidate& candidate) override {
    ++finished;
    const double own = candidate.precision == Precision::kInt8 ? 0.002 : 0;
    return {candidate, *footprint(candidate), own + 0.1 * candidate.pruned * candidate.pruned, "made up"};
  }

  int finished = 0;
};

constexpr Precision kBoth[] = {Precision::kInt8, Precision::kFp32};

Exploration run(Simple& simple, const Budgets& budgets) {
  return explore(simple, budgets, {std::begin(kBoth), std::end(kBoth)});
}

TEST_CASE("explore: without a need to prune, the most accurate network that fits") {
  Simple simple;
  Budgets budgets;
  budgets.latency_ms = 200;
  const Exploration found = run(simple, budgets);
  REQUIRE(found.chosen);
  CHECK(found.chosen->candidate == Candidate{Precision::kFp32, 0});
  CHECK(simple.finished == 2);
}

TEST_CASE("explore: prunes as little as meets latency, size and memory") {
  Simple simple;
  Budgets budgets;
  budgets.latency_ms = 40;
  budgets.size_bytes = 900000;
  budgets.memory_bytes = 1900000;
  const Exploration found = run(simple, budgets);
  REQUIRE(found.chosen);
  CHECK(found.chosen->candidate.precision == Precision::kInt8);
  CHECK(std::fabs(found.chosen->candidate.pruned - 0.2) < 1e-9);
  CHECK(simple.finished <= 4);
}

TEST_CASE("explore: a goal takes what the drop leaves over") {
  Simple simple;
  Budgets budgets;
  budgets.drop = 0.02;  // int8: 0.002 + 0.1 p^2, so p is at most 0.42
  budgets.goal = Goal::kLatency;
  const Exploration found = run(simple, budgets);
  REQUIRE(found.chosen);
  CHECK(found.chosen->candidate.precision == Precision::kInt8);
  CHECK(std::fabs(found.chosen->candidate.pruned - 0.4) < 1e-9);
  CHECK(found.reason.find("45 % pruned") != std::string::npos);
  CHECK(simple.finished <= 16);
}

TEST_CASE("explore: the end of what can be pruned ends the search") {
  Simple simple;
  Budgets budgets;
  budgets.drop = 0.9;
  budgets.goal = Goal::kSize;
  const Exploration found = run(simple, budgets);
  REQUIRE(found.chosen);
  CHECK(std::fabs(found.chosen->candidate.pruned - 0.6) < 1e-9);
  CHECK(found.reason == "more channels cannot go");
}

TEST_CASE("explore: budgets that contradict each other choose nothing and show how near each comes") {
  Simple simple;
  Budgets budgets;
  budgets.latency_ms = 25;  // half must go, which costs 0.027
  budgets.drop = 0.01;
  const Exploration found = run(simple, budgets);
  CHECK_FALSE(found.chosen);
  const std::vector<Miss> nearest = nearest_points(found, budgets);
  REQUIRE(nearest.size() == 2);
  // 0.002 + 0.1 p^2 is within the drop up to p = 0.28.
  CHECK(nearest[0].budget == "latency");
  CHECK(candidate_text(nearest[0].nearest.candidate) == "int8, 25 % of the macs pruned");
  CHECK(std::fabs(nearest[0].nearest.footprint.latency_ms - 37.5) < 1e-9);
  CHECK(nearest[1].budget == "accuracy");
  CHECK(candidate_text(nearest[1].nearest.candidate) == "int8, 50 % of the macs pruned");
  CHECK(std::fabs(*nearest[1].nearest.drop - 0.027) < 1e-9);
}

TEST_CASE("explore: a budget that nothing meets is shown at the end of what can be pruned") {
  Simple simple;
  Budgets budgets;
  budgets.size_bytes = 1000;
  const Exploration found = run(simple, budgets);
  CHECK_FALSE(found.chosen);
  const std::vector<Miss> nearest = nearest_points(found, budgets);
  REQUIRE(nearest.size() == 1);
  CHECK(nearest[0].budget == "size");
  CHECK(candidate_text(nearest[0].nearest.candidate) == "int8, 60 % of the macs pruned");
}

// What int8 costs comes from a few ops: in float32 they cost time instead.
class Mixed final : public Landscape {
 public:
  std::optional<Footprint> footprint(const Candidate& candidate) override {
    return simple.footprint(candidate);
  }
  Point finish(const Candidate& candidate) override {
    Point point = simple.finish(candidate);
    *point.drop += candidate.precision == Precision::kInt8 ? 0.05 : 0;
    return point;
  }
  std::optional<Point> mix(const Candidate& candidate) override {
    ++mixes;
    Point point = simple.finish(candidate);
    if (*point.drop > 0.01) return std::nullopt;
    point.footprint.latency_ms *= 1.2;
    return point;
  }
  Simple simple;
  int mixes = 0;
};

TEST_CASE("explore: where int8 costs too much, ops go back to float32, and what that takes counts") {
  Mixed mixed;
  Budgets budgets;
  budgets.drop = 0.01;
  budgets.latency_ms = 70;
  const Exploration found = explore(mixed, budgets, {std::begin(kBoth), std::end(kBoth)});
  REQUIRE(found.chosen);
  CHECK(found.chosen->candidate == Candidate{Precision::kInt8, 0, true});
  CHECK(std::fabs(found.chosen->footprint.latency_ms - 60) < 1e-9);
  budgets.latency_ms = 55;  // int8 alone takes 50, mixed 60: pruning is what is left
  const Exploration pruned = explore(mixed, budgets, {std::begin(kBoth), std::end(kBoth)});
  REQUIRE(pruned.chosen);
  CHECK(pruned.chosen->candidate.mixed);
  CHECK(pruned.chosen->candidate.pruned > 0.05);
  budgets.latency_ms = 40;  // but no more than 28 %
  CHECK_FALSE(explore(mixed, budgets, {std::begin(kBoth), std::end(kBoth)}).chosen);
}

TEST_CASE("explore: nothing is mixed where int8 keeps the accuracy or none is asked for") {
  Mixed mixed;
  Budgets budgets;
  budgets.latency_ms = 70;
  CHECK(explore(mixed, budgets, {std::begin(kBoth), std::end(kBoth)}).chosen);
  budgets.drop = 0.2;
  CHECK(explore(mixed, budgets, {std::begin(kBoth), std::end(kBoth)}).chosen);
  CHECK(mixed.mixes == 0);
}

// A smaller input saves time and memory, not the plan's size, and costs accuracy faster than pruning does
// when it gets much smaller.
class Shrinking final : public Landscape {
 public:
  std::optional<Footprint> footprint(const Candidate& candidate) override {
    std::optional<Footprint> seen = simple.footprint(candidate);
    if (seen) seen->latency_ms *= share(candidate) * share(candidate);
    return seen;
  }
  Point finish(const Candidate& candidate) override {
    Point point = simple.finish(candidate);
    point.footprint = *footprint(candidate);
    *point.drop += shrink_cost * std::pow(1 - share(candidate), 2);
    return point;
  }

  static double share(const Candidate& candidate) {
    return candidate.input.is_own() ? 1 : candidate.input.height / 32.0;
  }
  double shrink_cost = 0.1;
  Simple simple;
};

const std::vector<InputSize> kInputs = {{}, {28, 28}, {24, 24}, {16, 16}};

Exploration run(Shrinking& shrinking, const Budgets& budgets) {
  return explore(shrinking, budgets, {std::begin(kBoth), std::end(kBoth)}, kInputs);
}

TEST_CASE("explore: a smaller input where that loses less than pruning, mixed with it where that is best") {
  Shrinking shrinking;
  Budgets budgets;
  budgets.latency_ms = 24;  // of 50: 55 % pruned; 28x28 and 40 %; 24x24 and 15 %; 16x16 takes 12.5
  const Exploration found = run(shrinking, budgets);
  REQUIRE(found.chosen);
  CHECK(candidate_text(found.chosen->candidate) == "int8, input 24x24, 15 % of the macs pruned");
  CHECK(found.reason.find("an input of 24x24 and 10 % pruned it would miss the budget of latency") !=
        std::string::npos);
  CHECK(shrinking.simple.finished <= 10);
}

TEST_CASE(
    "explore: smaller inputs are left when they lose more, and not looked at where nothing asks for them") {
  Shrinking shrinking;
  shrinking.shrink_cost = 5;
  Budgets budgets;
  budgets.latency_ms = 24;
  const Exploration pruned = run(shrinking, budgets);
  REQUIRE(pruned.chosen);
  CHECK(candidate_text(pruned.chosen->candidate) == "int8, 55 % of the macs pruned");
  for (const Point& point : pruned.points) CHECK(point.candidate.input != kInputs[2]);

  budgets.latency_ms = 200;
  const Exploration whole = run(shrinking, budgets);
  REQUIRE(whole.chosen);
  CHECK(whole.chosen->candidate == Candidate{Precision::kFp32, 0});
  CHECK(whole.points.size() == 2);

  budgets.latency_ms.reset();
  budgets.size_bytes = 600000;  // that no smaller input changes
  const Exploration small = run(shrinking, budgets);
  REQUIRE(small.chosen);
  CHECK(candidate_text(small.chosen->candidate) == "int8, 40 % of the macs pruned");
  for (const std::vector<Point>& points : {small.points, small.unfinished})
    for (const Point& point : points) CHECK(point.candidate.input.is_own());
}

TEST_CASE("explore: a goal takes smaller inputs, too, as far as the drop allows") {
  Shrinking shrinking;
  Budgets budgets;
  budgets.drop = 0.02;
  budgets.goal = Goal::kLatency;
  const Exploration found = run(shrinking, budgets);
  REQUIRE(found.chosen);
  // 0.002 + 0.1 p^2 + 0.1 s^2: 16x16 loses 0.027 unpruned; 24x24 bears 30 %: 50 * 0.7 * 0.5625.
  CHECK(candidate_text(found.chosen->candidate) == "int8, input 24x24, 30 % of the macs pruned");
  CHECK(*found.chosen->drop <= 0.02);
  CHECK(shrinking.simple.finished <= 20);
}

TEST_CASE("explore: what comes nearest to a latency that nothing keeps has a smaller input and is pruned") {
  Shrinking shrinking;
  Budgets budgets;
  budgets.latency_ms = 4;
  budgets.drop = 0.02;
  const Exploration found = run(shrinking, budgets);
  CHECK_FALSE(found.chosen);
  const std::vector<Miss> nearest = nearest_points(found, budgets);
  REQUIRE(!nearest.empty());
  CHECK(nearest[0].budget == "latency");
  CHECK(nearest[0].nearest.candidate.input == kInputs[2]);
  CHECK(nearest[0].nearest.candidate.pruned > 0.2);
  CHECK(*nearest[0].nearest.drop <= 0.02);
}

TEST_CASE("explore: the Pareto front holds what nothing beats, once") {
  const Footprint small{1, 10, 10, 0}, large{2, 20, 20, 0};
  const std::vector<Point> points = {{{Precision::kInt8, 0}, small, 0.01, {}},
                                     {{Precision::kFp32, 0}, large, 0.0, {}},
                                     {{Precision::kFp16, 0}, large, 0.005, {}},
                                     {{Precision::kInt8, 0.1}, small, std::nullopt, {}}};
  const std::vector<Point> front = pareto_front(points);
  REQUIRE(front.size() == 2);
  CHECK(front[0].candidate.precision == Precision::kInt8);
  CHECK(front[1].candidate.precision == Precision::kFp32);
}

}  // namespace
}  // namespace bantam::compiler
