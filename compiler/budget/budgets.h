// Points against budgets.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "bantam/compiler/compiler.h"

namespace bantam::compiler {

// By how much `point` misses the budget, relative to the budget; 0: met. A drop that was not measured
// misses any.
double latency_excess(const Budgets& budgets, const Point& point);
double size_excess(const Budgets& budgets, const Point& point);
double memory_excess(const Budgets& budgets, const Point& point);
double drop_excess(const Budgets& budgets, const Point& point);

// Whether the budgets of everything but accuracy are met.
bool fits(const Budgets& budgets, const Footprint& footprint);
bool meets(const Budgets& budgets, const Point& point);

// Milliseconds of the plan, the only one in `plans`: the least of a few measurements, since whatever else
// goes on can only add.
double least_latency(const OpTimer& timer, std::span<const std::vector<std::byte>> plans);

// Those that no other point beats in everything, in order of latency. Points without a measured drop are not
// among them.
std::vector<Point> pareto_front(const std::vector<Point>& points);

}  // namespace bantam::compiler
