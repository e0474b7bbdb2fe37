#include "sparsity/remove_weights.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "prune/data/sample_run.h"

namespace bantam::compiler {
namespace {

constexpr float kLeastVariance = 1e-3f;  // of the mean one
constexpr Eigen::Index kPanel = 64;      // columns whose zeros are chosen together
constexpr double kMostWork = 4e10;       // multiply-accumulates to solve a block's outputs again

// Marks the `count` least of `scores` by a zero in `kept`.
void mark_least(const RowMatrix& scores, int64_t count, RowMatrix& kept) {
  std::vector<Eigen::Index> order(static_cast<size_t>(scores.size()));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Eigen::Index>(i);
  const auto before = [&](Eigen::Index a, Eigen::Index b) {
    return std::pair(scores.data()[a], a) < std::pair(scores.data()[b], b);
  };
  kept = RowMatrix::Ones(scores.rows(), scores.cols());
  const auto middle = order.begin() + std::min<int64_t>(count, scores.size());
  if (middle != order.end()) std::nth_element(order.begin(), middle, order.end(), before);
  for (auto at = order.begin(); at != middle; ++at) kept.data()[*at] = 0;
}

}  // namespace

RowMatrix without_least(const RowMatrix& weights, int64_t count) {
  RowMatrix kept;
  mark_least(weights.cwiseAbs(), count, kept);
  return weights.cwiseProduct(kept);
}

SecondOrder::SecondOrder(const RowMatrix& rows, std::vector<Block> blocks, float damping,
                         const CompileOptions& options)
    : blocks_(std::move(blocks)), options_(options) {
  for (const Block& block : blocks_) {
    Factors& f = factors_.emplace_back();
    f.rows = rows(Eigen::all, block.of_rows);
    const float count = static_cast<float>(rows.rows());
    const Eigen::Index size = f.rows.cols();
    f.covariance = Eigen::MatrixXf::Zero(size, size);
    f.covariance.selfadjointView<Eigen::Lower>().rankUpdate(f.rows.transpose(), 1 / count);
    f.covariance.triangularView<Eigen::StrictlyUpper>() = f.covariance.transpose();
    const float least = kLeastVariance * f.covariance.trace() / static_cast<float>(size);
    f.covariance.diagonal() *= 1 + damping;
    f.covariance.diagonal().array() += std::max(damping * least, 1e-20f);
    const Eigen::MatrixXf inverse = f.covariance.llt().solve(Eigen::MatrixXf::Identity(size, size));
    const Eigen::LLT<Eigen::MatrixXf> factored(inverse);
    f.upper = factored.matrixU();
    f.inverse = inverse.diagonal();
    sound_ = sound_ && factored.info() == Eigen::Success && f.upper.allFinite() && f.inverse.minCoeff() > 0;
  }
}

// Zeros by block and panel: where the layer as a whole loses them, each weight judged by itself.
std::vector<std::vector<int64_t>> SecondOrder::panel_counts(const RowMatrix& weights, int64_t count) const {
  RowMatrix scores(weights.rows(), weights.cols()), kept;
  for (size_t b = 0; b < blocks_.size(); ++b) {
    for (size_t k = 0; k < blocks_[b].of_weights.size(); ++k) {
      const Eigen::Index column = blocks_[b].of_weights[k];
      scores.col(column) =
          weights.col(column).cwiseAbs2() / factors_[b].inverse[static_cast<Eigen::Index>(k)];
    }
  }
  mark_least(scores, count, kept);
  std::vector<std::vector<int64_t>> counts;
  for (const Block& block : blocks_) {
    const Eigen::Index size = static_cast<Eigen::Index>(block.of_weights.size());
    std::vector<int64_t>& panels = counts.emplace_back((size + kPanel - 1) / kPanel, 0);
    for (Eigen::Index k = 0; k < size; ++k) {
      const auto column = kept.col(block.of_weights[static_cast<size_t>(k)]);
      panels[static_cast<size_t>(k / kPanel)] += (column.array() == 0).count();
    }
  }
  return counts;
}

// Columns in order; what a zero does to the outputs is made up for by the columns behind.
RowMatrix SecondOrder::sweep(const Factors& f, const RowMatrix& target,
                             const std::vector<int64_t>& counts) const {
  Eigen::MatrixXf w = target;
  const Eigen::Index size = w.cols();
  for (Eigen::Index first = 0; first < size; first += kPanel) {
    const Eigen::Index count = std::min(kPanel, size - first), rest = size - first - count;
    const Eigen::VectorXf steps = f.upper.diagonal().segment(first, count).cwiseInverse();
    RowMatrix kept;
    mark_least((w.middleCols(first, count) * steps.asDiagonal()).cwiseAbs2(),
               counts[static_cast<size_t>(first / kPanel)], kept);
    Eigen::MatrixXf errors(w.rows(), count);
    for (Eigen::Index k = 0; k < count; ++k) {
      const Eigen::Index i = first + k;
      const Eigen::VectorXf before = w.col(i);
      w.col(i) = before.cwiseProduct(kept.col(k));
      errors.col(k) = (before - w.col(i)) * steps[k];
      w.middleCols(i + 1, count - k - 1).noalias() -=
          errors.col(k) * f.upper.row(i).segment(i + 1, count - k - 1);
    }
    w.rightCols(rest).noalias() -= errors * f.upper.block(first, first + count, count, rest);
  }
  return w;
}

void SecondOrder::solve_again(const Factors& f, const RowMatrix& target, RowMatrix& sparse) const {
  double work = 0;
  for (Eigen::Index o = 0; o < sparse.rows(); ++o)
    work += std::pow(static_cast<double>((sparse.row(o).array() != 0).count()), 3) / 6;
  if (work > kMostWork) return;
  const RowMatrix products = target * f.covariance;
  for_each_index(static_cast<int>(sparse.rows()), options_, [&](int o) {
    Indices support;
    for (Eigen::Index i = 0; i < sparse.cols(); ++i) {
      if (sparse(o, i) != 0) support.push_back(i);
    }
    if (support.empty()) return;
    const Eigen::MatrixXf system = f.covariance(support, support);
    const Eigen::VectorXf wanted = products.row(o)(support);
    const Eigen::VectorXf solved = system.llt().solve(wanted);
    if (!solved.allFinite()) return;
    for (size_t i = 0; i < support.size(); ++i) sparse(o, support[i]) = solved[static_cast<Eigen::Index>(i)];
  });
}

RowMatrix SecondOrder::remove(const RowMatrix& weights, int64_t count) const {
  const std::vector<std::vector<int64_t>> counts = panel_counts(weights, count);
  RowMatrix result(weights.rows(), weights.cols());
  RowMatrix lacking;  // in the outputs, for the blocks behind to make up for
  for (size_t b = 0; b < blocks_.size(); ++b) {
    const Factors& f = factors_[b];
    const RowMatrix exact = weights(Eigen::all, blocks_[b].of_weights);
    RowMatrix target = exact;
    if (b > 0) {
      const Eigen::MatrixXf pull = f.rows.transpose() * lacking / static_cast<float>(f.rows.rows());
      target += f.covariance.llt().solve(pull).transpose();
    }
    RowMatrix sparse = sweep(f, target, counts[b]);
    solve_again(f, target, sparse);
    result(Eigen::all, blocks_[b].of_weights) = sparse;
    if (b + 1 == blocks_.size()) continue;
    if (b == 0) lacking = RowMatrix::Zero(f.rows.rows(), weights.rows());
    lacking.noalias() += f.rows * (exact - sparse).transpose();
  }
  return result;
}

}  // namespace bantam::compiler
