#include "timing/time_model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace bantam::tools {
namespace {

constexpr size_t kFeatures = std::tuple_size_v<WorkFeatures>;
constexpr double kLeastMs = 1e-6;
constexpr double kSmallPivot = 1e-9;  // of columns of length 1
constexpr double kBetter = 1e-9;      // of the squared error: what one more feature has to bring

double distance(const WorkFeatures& a, const WorkFeatures& b) {
  double sum = 0;
  for (size_t i = 0; i < kFeatures; ++i)
    sum += std::fabs(std::log(std::max(a[i], 1.0) / std::max(b[i], 1.0)));
  return sum;
}

double combine(const WorkFeatures& work, const WorkFeatures& price) {
  double sum = 0;
  for (size_t i = 0; i < kFeatures; ++i) sum += work[i] * price[i];
  return sum;
}

// Least squares over columns of length 1, from their products with each other and with the target.
struct Products {
  double columns[kFeatures][kFeatures] = {};
  double target[kFeatures] = {};
};

// The best solution that uses the features in `set`, a mask; empty: singular, or negative in one of them.
std::optional<WorkFeatures> solve(const Products& products, unsigned set) {
  std::vector<size_t> used;
  for (size_t i = 0; i < kFeatures; ++i) {
    if ((set >> i & 1) != 0) used.push_back(i);
  }
  const size_t n = used.size();
  double system[kFeatures][kFeatures + 1] = {};
  for (size_t r = 0; r < n; ++r) {
    for (size_t c = 0; c < n; ++c) system[r][c] = products.columns[used[r]][used[c]];
    system[r][n] = products.target[used[r]];
  }
  // Positive semidefinite: no need to exchange rows.
  for (size_t p = 0; p < n; ++p) {
    if (system[p][p] < kSmallPivot) return std::nullopt;
    for (size_t r = 0; r < n; ++r) {
      if (r == p) continue;
      const double factor = system[r][p] / system[p][p];
      for (size_t c = p; c <= n; ++c) system[r][c] -= factor * system[p][c];
    }
  }
  WorkFeatures solution = {};
  for (size_t r = 0; r < n; ++r) {
    solution[used[r]] = system[r][n] / system[r][r];
    if (!(solution[used[r]] >= 0)) return std::nullopt;
  }
  return solution;
}

double squared_error(const Products& products, const WorkFeatures& x) {
  double error = 0;  // but for the square of the target
  for (size_t r = 0; r < kFeatures; ++r) {
    error -= 2 * x[r] * products.target[r];
    for (size_t c = 0; c < kFeatures; ++c) error += x[r] * x[c] * products.columns[r][c];
  }
  return error;
}

// Non-negative least squares: of so few features every subset is tried, small ones first.
WorkFeatures fit(const Products& products, double target) {
  std::vector<unsigned> sets;
  for (unsigned set = 1; set < 1U << kFeatures; ++set) sets.push_back(set);
  std::stable_sort(sets.begin(), sets.end(),
                   [](unsigned a, unsigned b) { return std::popcount(a) < std::popcount(b); });
  WorkFeatures best = {};
  double least = 0;
  for (const unsigned set : sets) {
    const std::optional<WorkFeatures> solution = solve(products, set);
    if (!solution) continue;
    const double error = squared_error(products, *solution);
    if (error >= least - kBetter * target) continue;
    least = error;
    best = *solution;
  }
  return best;
}

// Milliseconds per unit of each feature.
WorkFeatures prices(const WorkFeatures& work, std::span<const KnownTime> known) {
  std::vector<std::pair<WorkFeatures, double>> rows;
  WorkFeatures lengths = {};
  double target = 0;
  for (const KnownTime& time : known) {
    const double weight = 1 / (0.5 + distance(work, time.work));
    WorkFeatures row;
    for (size_t i = 0; i < kFeatures; ++i) {
      row[i] = time.work[i] / std::max(time.ms, kLeastMs) * weight;
      lengths[i] += row[i] * row[i];
    }
    target += weight * weight;
    rows.emplace_back(row, weight);
  }
  for (double& length : lengths) length = length > 0 ? std::sqrt(length) : 1;
  Products products;
  for (const auto& [row, weight] : rows) {
    for (size_t r = 0; r < kFeatures; ++r) {
      products.target[r] += row[r] / lengths[r] * weight;
      for (size_t c = 0; c < kFeatures; ++c)
        products.columns[r][c] += row[r] / lengths[r] * row[c] / lengths[c];
    }
  }
  WorkFeatures price = fit(products, target);
  for (size_t i = 0; i < kFeatures; ++i) price[i] /= lengths[i];
  return price;
}

}  // namespace

double model_time(const WorkFeatures& work, std::span<const KnownTime> known) {
  const WorkFeatures price = prices(work, known);
  double beyond = 0, weights = 0;
  for (const KnownTime& time : known) {
    const double weight = std::pow(0.2 + distance(work, time.work), -2);
    const double told = std::max(combine(time.work, price), kLeastMs);
    beyond += weight * std::log(std::max(time.ms, kLeastMs) / told);
    weights += weight;
  }
  return combine(work, price) * std::exp(beyond / weights);
}

}  // namespace bantam::tools
