// What the board can bear, and what one network costs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"

namespace bantam::compiler {

// A network that can be made from the model: computed in `precision`, without `pruned` of its
// multiply-accumulates (0..1).
struct Candidate {
  Precision precision = Precision::kInt8;
  double pruned = 0;
  bool operator==(const Candidate&) const = default;
};

// What is known of a candidate before its weights are solved again.
struct Footprint {
  double latency_ms = 0;
  uint64_t size_bytes = 0;    // of the plan
  uint64_t memory_bytes = 0;  // while it runs, the plan included
  double energy_mj = 0;       // of a run, as energy.h models it
};

struct Point {
  Candidate candidate;
  Footprint footprint;
  std::optional<double> drop;  // of accuracy against the fp32 model, 0..1; empty: not measured
  std::string verdict;         // how it was measured
};

// By how much `point` misses the budget, relative to the budget; 0: met. A drop that was not measured
// misses any.
double latency_excess(const Budgets& budgets, const Point& point);
double size_excess(const Budgets& budgets, const Point& point);
double memory_excess(const Budgets& budgets, const Point& point);
double drop_excess(const Budgets& budgets, const Point& point);

// Whether the budgets of everything but accuracy are met.
bool fits(const Budgets& budgets, const Footprint& footprint);
bool meets(const Budgets& budgets, const Point& point);

// Those that no other point beats in everything, in order of latency. Points without a measured drop are not
// among them.
std::vector<Point> pareto_front(const std::vector<Point>& points);

// "int8, 30 % of the macs pruned"
std::string candidate_text(const Candidate& candidate);

}  // namespace bantam::compiler
