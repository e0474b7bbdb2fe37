#include "prune/least_squares.h"

#include <Eigen/Cholesky>

#include "prune/data/samples.h"

namespace bantam::compiler {
namespace {

constexpr double kRidges[] = {1e-3, 1e-2, 1e-1, 1.0, 10.0};  // of the inputs' mean variance
constexpr double kWorthwhile = 0.99;                         // error after against before

struct Split {
  RowMatrix fit, held;
};

Split split(const RowMatrix& rows, int per_sample) {
  const int samples = static_cast<int>(rows.rows() / per_sample);
  Eigen::Index held = 0;
  for (int s = 0; s < samples; ++s) held += is_held_out(s) ? 1 : 0;
  Split parts{RowMatrix(rows.rows() - held * per_sample, rows.cols()),
              RowMatrix(held * per_sample, rows.cols())};
  Eigen::Index fit_at = 0;
  Eigen::Index held_at = 0;
  for (int s = 0; s < samples; ++s) {
    const bool out = is_held_out(s);
    (out ? parts.held : parts.fit).middleRows(out ? held_at : fit_at, per_sample) =
        rows.middleRows(s * per_sample, per_sample);
    (out ? held_at : fit_at) += per_sample;
  }
  return parts;
}

// Solves for one set of rows, for any ridge: in the inputs' columns or in the rows, whichever are fewer.
class Ridge {
 public:
  Ridge(const RowMatrix& inputs, const RowMatrix& residuals)
      : mean_x_(inputs.colwise().mean()),
        mean_r_(residuals.colwise().mean()),
        by_rows_(inputs.rows() < inputs.cols()) {
    x_ = inputs.rowwise() - mean_x_;
    r_ = residuals.rowwise() - mean_r_;
    const Eigen::Index size = by_rows_ ? x_.rows() : x_.cols();
    Eigen::MatrixXf gram = Eigen::MatrixXf::Zero(size, size);
    if (by_rows_) {
      gram.selfadjointView<Eigen::Lower>().rankUpdate(x_);
    } else {
      gram.selfadjointView<Eigen::Lower>().rankUpdate(x_.transpose());
      products_ = (x_.transpose() * r_).cast<double>();
    }
    gram_ = gram.cast<double>();
    scale_ = gram_.trace() / static_cast<double>(x_.cols());
  }

  bool solvable() const { return std::isfinite(scale_) && scale_ > 0; }

  // Output by column.
  RowMatrix solve(double ridge) const {
    Eigen::MatrixXd system = gram_;
    system.diagonal().array() += ridge * scale_;
    const Eigen::LLT<Eigen::MatrixXd> factors(system);
    if (!by_rows_) return factors.solve(products_).transpose().cast<float>();
    const Eigen::MatrixXf dual = factors.solve(r_.cast<double>()).cast<float>();
    return dual.transpose() * x_;
  }

  Eigen::VectorXf bias(const RowMatrix& change) const {
    Eigen::VectorXf bias = mean_r_.transpose();
    if (change.size() > 0) bias -= change * mean_x_.transpose();
    return bias;
  }

 private:
  Eigen::RowVectorXf mean_x_, mean_r_;
  bool by_rows_;
  RowMatrix x_, r_;
  Eigen::MatrixXd gram_, products_;
  double scale_ = 0;
};

double error_of(const Split& inputs, const Split& residuals, const RowMatrix& change,
                const Eigen::VectorXf& bias) {
  RowMatrix left = residuals.held.rowwise() - bias.transpose();
  if (change.size() > 0) left -= inputs.held * change.transpose();
  return left.cast<double>().squaredNorm();
}

}  // namespace

Correction solve_correction(const RowMatrix& inputs, const RowMatrix& residuals, int per_sample) {
  const Split x = split(inputs, per_sample);
  const Split r = split(residuals, per_sample);
  Correction best;
  const Ridge all(inputs, residuals);
  best.bias = all.bias({});
  if (x.held.rows() == 0 || !all.solvable()) return best;
  const Ridge fit(x.fit, r.fit);
  best.before = error_of(x, r, {}, fit.bias({}));
  best.after = best.before * kWorthwhile;
  double ridge = 0;
  for (const double candidate : kRidges) {
    if (!fit.solvable()) break;
    const RowMatrix change = fit.solve(candidate);
    const double error = error_of(x, r, change, fit.bias(change));
    if (!(error < best.after)) continue;
    best.after = error;
    ridge = candidate;
  }
  if (ridge == 0) {
    best.after = best.before;
    return best;
  }
  best.weights = all.solve(ridge);
  best.bias = all.bias(best.weights);
  return best;
}

Correction solve_scales(const RowMatrix& inputs, const RowMatrix& residuals, int per_sample) {
  const auto fit = [](const RowMatrix& x, const RowMatrix& r) {
    const Eigen::RowVectorXf mean_x = x.colwise().mean();
    const Eigen::RowVectorXf mean_r = r.colwise().mean();
    const RowMatrix centred = x.rowwise() - mean_x;
    const Eigen::RowVectorXf squares = centred.colwise().squaredNorm();
    const Eigen::RowVectorXf products = centred.cwiseProduct(r.rowwise() - mean_r).colwise().sum();
    Correction c;
    const float ridge = 0.1f * squares.mean() + 1e-12f;
    c.weights = (products.array() / (squares.array() + ridge)).matrix();
    c.bias = (mean_r - c.weights.row(0).cwiseProduct(mean_x)).transpose();
    return c;
  };
  const auto error = [](const RowMatrix& x, const RowMatrix& r, const Correction& c) {
    const RowMatrix left = r.rowwise() - c.bias.transpose();
    return static_cast<double>(
        (left.array() - x.array().rowwise() * c.weights.row(0).array()).square().sum());
  };
  const Split x = split(inputs, per_sample);
  const Split r = split(residuals, per_sample);
  Correction bias_only;
  bias_only.bias = residuals.colwise().mean().transpose();
  if (x.held.rows() == 0) return bias_only;
  const Correction held = fit(x.fit, r.fit);
  Correction held_bias = held;
  held_bias.weights.setZero();
  held_bias.bias = r.fit.colwise().mean().transpose();
  bias_only.before = error(x.held, r.held, held_bias);
  bias_only.after = error(x.held, r.held, held);
  if (!(bias_only.after < bias_only.before * kWorthwhile)) return bias_only;
  Correction best = fit(inputs, residuals);
  best.before = bias_only.before;
  best.after = bias_only.after;
  return best;
}

}  // namespace bantam::compiler
