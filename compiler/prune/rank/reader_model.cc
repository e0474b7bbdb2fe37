#include "prune/rank/reader_model.h"

#include <Eigen/Cholesky>
#include <algorithm>

namespace bantam::compiler {
namespace {

constexpr int64_t kMostColumns = 4608;  // of a covariance matrix: 512 channels under 3x3
constexpr double kLeastDamping = 0.01;  // of the mean variance

using Indices = std::vector<int>;

// What to add to the diagonal of a covariance, in units of the mean variance, to keep what few rows say from
// being believed: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices".
double damping(const Eigen::MatrixXd& covariance, const RowMatrix& centred) {
  const double size = static_cast<double>(covariance.rows());
  const double mean = covariance.trace() / size;
  const double squares = covariance.squaredNorm();
  const double fourth = centred.rowwise().squaredNorm().cast<double>().array().square().mean();
  const double noise = (fourth - squares) / static_cast<double>(centred.rows());
  const double distance = squares - size * mean * mean;
  const double share = distance > 0 ? std::clamp(noise / distance, 0.0, 0.99) : 0.99;
  return std::max(share / (1 - share), kLeastDamping);
}

Eigen::MatrixXd weights_matrix(const Tensor& tensor) {
  const Eigen::Index outputs = tensor.type.shape[0];
  const Eigen::Map<const RowMatrix> map(tensor.as<float>().data(), outputs, tensor.elements() / outputs);
  return map.cast<double>();
}

}  // namespace

bool ReaderModel::is_joint(const Graph& graph, const Node& node) {
  return is_dense_product(node) && row_length(graph, node) <= kMostColumns;
}

ReaderModel::ReaderModel(const Graph& graph, const Node& node, const Structure& structure,
                         const ChannelGroup& group, const RowMatrix& rows)
    : joint_(is_joint(graph, node)), original_(graph.constant(node.inputs[1])) {
  weights_ = weights_matrix(original_);
  add_blocks(graph, node, structure, group);
  start(rows);
}

void ReaderModel::add_blocks(const Graph& graph, const Node& node, const Structure& structure,
                             const ChannelGroup& group) {
  const ValueId w = node.inputs[1];
  const Indices& along = structure.along(w, graph.shape(w).size() - 1);
  const int channels = static_cast<int>(along.size());
  taps_ = row_length(graph, node) / channels;
  std::vector<int> position(static_cast<size_t>(structure.units), -1);
  for (size_t u = 0; u < group.units.size(); ++u)
    position[static_cast<size_t>(group.units[u])] = static_cast<int>(u);
  blocks_.resize(group.units.size());
  for (int tap = 0; tap < static_cast<int>(taps_); ++tap) {
    for (int c = 0; c < channels; ++c) {
      const int unit = along[static_cast<size_t>(c)];
      const int u = unit < 0 ? -1 : position[static_cast<size_t>(unit)];
      if (u >= 0) blocks_[static_cast<size_t>(u)].push_back(tap * channels + c);
    }
  }
}

void ReaderModel::start(const RowMatrix& rows) {
  const Eigen::Index columns = weights_.cols();
  const double count = static_cast<double>(std::max<Eigen::Index>(rows.rows(), 1));
  const Eigen::RowVectorXf mean = rows.colwise().mean();
  const RowMatrix centred = rows.rowwise() - mean;
  if (!joint_) {  // rows have one column per input channel; a grouped layer reads several at each weight
    const Eigen::VectorXd all = centred.colwise().squaredNorm().transpose().cast<double>() / count;
    const Eigen::Index channels = columns / taps_;
    variance_ = Eigen::VectorXd::Zero(columns);
    mean_ = Eigen::VectorXd::Zero(columns);
    for (Eigen::Index i = 0; i < columns; ++i) {
      double share = 0;
      for (Eigen::Index c = i % channels; c < all.size(); c += channels, ++share) {
        variance_[i] += all[c];
        mean_[i] += static_cast<double>(mean[c]);
      }
      variance_[i] /= share;
      mean_[i] /= share;
    }
    energy_ = (weights_.array().square().matrix() * variance_).sum();
    return;
  }
  Eigen::MatrixXf gram = Eigen::MatrixXf::Zero(columns, columns);
  gram.selfadjointView<Eigen::Lower>().rankUpdate(centred.transpose());
  Eigen::MatrixXd covariance = gram.cast<double>() / count;
  covariance.triangularView<Eigen::StrictlyUpper>() = covariance.transpose();
  mean_ = mean.transpose().cast<double>();
  energy_ = (weights_ * covariance).cwiseProduct(weights_).sum();
  const double ridge =
      damping(covariance, centred) * covariance.trace() / static_cast<double>(columns) + 1e-12;
  covariance.diagonal().array() += ridge;
  inverse_ = covariance.llt().solve(Eigen::MatrixXd::Identity(columns, columns));
}

double ReaderModel::joint_loss(const Indices& block) const {
  const Eigen::MatrixXd w = weights_(Eigen::all, block);
  const Eigen::MatrixXd h = inverse_(block, block);
  return (h.llt().solve(w.transpose() * w)).trace();
}

double ReaderModel::loss(size_t unit) const {
  const Indices& block = blocks_[unit];
  if (block.empty() || energy_ <= 0) return 0;
  if (joint_) return joint_loss(block) / energy_;
  double sum = 0;
  for (int column : block) sum += weights_.col(column).squaredNorm() * variance_[column];
  return sum / energy_;
}

void ReaderModel::remove_jointly(const Indices& block) {
  const Eigen::MatrixXd rows = inverse_(block, Eigen::all);
  const Eigen::MatrixXd step = Eigen::MatrixXd(inverse_(block, block)).llt().solve(rows);
  const Eigen::MatrixXd w = weights_(Eigen::all, block);
  weights_.noalias() -= w * step;
  inverse_.noalias() -= rows.transpose() * step;
  for (int column : block) {
    inverse_.row(column).setZero();
    inverse_.col(column).setZero();
    inverse_(column, column) = 1;
  }
}

void ReaderModel::remove(size_t unit) {
  const Indices& block = blocks_[unit];
  if (block.empty()) return;
  if (joint_) remove_jointly(block);
  for (int column : block) weights_.col(column).setZero();
}

Tensor ReaderModel::weights() const {
  Tensor tensor(original_.type);
  Eigen::Map<RowMatrix> map(tensor.as<float>().data(), weights_.rows(), weights_.cols());
  map = weights_.cast<float>();
  return tensor;
}

std::vector<float> ReaderModel::bias_change() const {
  const Eigen::VectorXf change = ((weights_matrix(original_) - weights_) * mean_).cast<float>();
  return {change.begin(), change.end()};
}

}  // namespace bantam::compiler
