#include "sparsity/solve_layer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "prune/data/samples.h"

namespace bantam::compiler {
namespace {

constexpr int64_t kMostColumns = 1280;              // solved together
constexpr int64_t kAmple = 4;                       // rows per column with which covariances are known well
constexpr float kDampings[] = {0.01f, 0.1f, 1.0f};  // the first where rows are ample, else the best held out

int64_t rows_for(const SparseLayer& layer, int64_t per_column, int64_t fewest, int64_t most) {
  return std::clamp(per_column * std::min<int64_t>(layer.columns, kMostColumns), fewest, most);
}

}  // namespace

int64_t rows_for_curves(const SparseLayer& layer) { return rows_for(layer, 6, 2048, 8192); }
int64_t rows_for_solution(const SparseLayer& layer) { return rows_for(layer, 16, 4096, 16384); }

LayerSolver::LayerSolver(const SparseLayer& layer, const RowMatrix& rows, int per_sample,
                         const CompileOptions& options) {
  Indices chosen[2];
  for (Eigen::Index row = 0; row < rows.rows(); ++row)
    chosen[is_held_out(static_cast<int>(row) / per_sample) ? 1 : 0].push_back(row);
  fitted_ = rows(chosen[0], Eigen::all);
  held_ = chosen[1].empty() ? fitted_ : RowMatrix(rows(chosen[1], Eigen::all));
  mean_ = fitted_.colwise().mean();
  fitted_.rowwise() -= mean_;
  held_.rowwise() -= mean_;
  const int64_t channels = layer.columns / layer.taps;
  const bool scarce = fitted_.rows() < kAmple * std::min<int64_t>(layer.columns, kMostColumns);
  for (const float damping : kDampings) {
    if (damping > kDampings[0] && !scarce) break;
    candidates_.push_back(std::make_unique<SecondOrder>(
        fitted_, blocks_of(layer.taps, channels, channels, 0, kMostColumns), damping, options));
  }
}

double LayerSolver::error(const RowMatrix& difference) const {
  return static_cast<double>((held_ * difference.transpose()).squaredNorm());
}

void LayerSolver::settle(const RowMatrix& weights, int64_t count) {
  if (candidates_.size() < 2) return;
  size_t best = 0;
  double least = INFINITY;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    if (!candidates_[i]->sound()) continue;
    const double now = error(candidates_[i]->remove(weights, count) - weights);
    if (now < least) best = i, least = now;
  }
  std::swap(candidates_[0], candidates_[best]);
  candidates_.resize(1);
}

SolvedLayer LayerSolver::solve(const RowMatrix& weights, int64_t count) const {
  SolvedLayer best{without_least(weights, count), {}, 0};
  best.error = error(best.weights - weights);
  for (const std::unique_ptr<SecondOrder>& candidate : candidates_) {
    if (!candidate->sound()) continue;
    RowMatrix solved = candidate->remove(weights, count);
    const double solved_error = error(solved - weights);
    if (solved_error < best.error) best = {std::move(solved), {}, solved_error};
  }
  best.error /= std::max(error(weights), 1e-30);
  best.shift = (weights - best.weights) * mean_.transpose();
  return best;
}

}  // namespace bantam::compiler
