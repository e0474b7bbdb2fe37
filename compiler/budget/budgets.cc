#include "budget/budgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace bantam::compiler {
namespace {

template <typename T>
double excess(const std::optional<T>& budget, double value) {
  if (!budget) return 0;
  const double limit = static_cast<double>(*budget);
  return std::max(0.0, value / limit - 1);
}

bool beats(const Point& a, const Point& b) {
  const Footprint& x = a.footprint;
  const Footprint& y = b.footprint;
  if (x.latency_ms > y.latency_ms || x.size_bytes > y.size_bytes || x.memory_bytes > y.memory_bytes ||
      *a.drop > *b.drop)
    return false;
  return x.latency_ms < y.latency_ms || x.size_bytes < y.size_bytes || x.memory_bytes < y.memory_bytes ||
         *a.drop < *b.drop;
}

}  // namespace

double latency_excess(const Budgets& budgets, const Point& point) {
  return excess(budgets.latency_ms, point.footprint.latency_ms);
}
double size_excess(const Budgets& budgets, const Point& point) {
  return excess(budgets.size_bytes, static_cast<double>(point.footprint.size_bytes));
}
double memory_excess(const Budgets& budgets, const Point& point) {
  return excess(budgets.memory_bytes, static_cast<double>(point.footprint.memory_bytes));
}
double drop_excess(const Budgets& budgets, const Point& point) {
  if (!point.drop) return budgets.drop ? std::numeric_limits<double>::infinity() : 0;
  return excess(budgets.drop, *point.drop);
}

bool fits(const Budgets& budgets, const Footprint& footprint) {
  const Point point{{}, footprint, std::nullopt, {}};
  return latency_excess(budgets, point) == 0 && size_excess(budgets, point) == 0 &&
         memory_excess(budgets, point) == 0;
}

bool meets(const Budgets& budgets, const Point& point) {
  return fits(budgets, point.footprint) && drop_excess(budgets, point) == 0;
}

double least_latency(const OpTimer& timer, std::span<const std::vector<std::byte>> plans) {
  constexpr int kTimes = 3;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTimes; ++i) least = std::min(least, timer(plans).at(0).total_ms);
  return least;
}

std::vector<Point> pareto_front(const std::vector<Point>& points) {
  std::vector<Point> front;
  for (const Point& point : points) {
    if (!point.drop) continue;
    const bool beaten = std::any_of(points.begin(), points.end(),
                                    [&](const Point& other) { return other.drop && beats(other, point); });
    if (!beaten) front.push_back(point);
  }
  std::stable_sort(front.begin(), front.end(), [](const Point& a, const Point& b) {
    return a.footprint.latency_ms < b.footprint.latency_ms;
  });
  return front;
}

const char* precision_text(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kFp16:
      return "fp16";
    case Precision::kInt8:
      return "int8";
    case Precision::kAsModel:
      break;
  }
  return "as the model";
}

std::string size_text(const InputSize& size) { return fmt::format("{}x{}", size.height, size.width); }

std::string candidate_text(const Candidate& candidate) {
  std::string text = std::string(precision_text(candidate.precision)) +
                     (candidate.mixed ? " and float" : "") +
                     (candidate.input.is_own() ? "" : ", input " + size_text(candidate.input));
  if (candidate.pruned == 0) return text;
  return fmt::format("{}, {:.0f} % of the macs pruned", text, candidate.pruned * 100);
}

}  // namespace bantam::compiler
