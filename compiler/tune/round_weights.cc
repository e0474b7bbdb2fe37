#include "tune/round_weights.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "prune/data/rows.h"
#include "prune/data/samples.h"
#include "quantize/weights.h"
#include "tune/column_blocks.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 128;
constexpr int64_t kMostColumns = 576;  // solved together: 64 channels under 3x3
constexpr int64_t kFewestRows = 1024;
constexpr int64_t kMostRows = 2048;
constexpr int64_t kRowsPerColumn = 4;
constexpr size_t kMostBytes = size_t{256} << 20;  // of rows at one time
constexpr float kDamping = 0.01f;                 // of the mean variance
constexpr Eigen::Index kPanel = 32;               // columns whose effects are applied together

struct Layer {
  int node;
  int64_t columns;  // of a row of inputs, all groups together
  int64_t groups;
  PixelChoice choice;
};

// Rounds `weights` (output by column, in steps) one column after another, those of the most variance first.
// Where `given`, what they were, is zero, they become zero.
RowMatrix rounded(RowMatrix weights, const RowMatrix& given, const Eigen::MatrixXf& covariance) {
  const Eigen::Index size = covariance.rows();
  Indices order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index a, Eigen::Index b) { return covariance(a, a) > covariance(b, b); });
  Eigen::MatrixXf w = weights(Eigen::all, order);
  const Eigen::MatrixXf inverse =
      Eigen::MatrixXf(covariance(order, order)).llt().solve(Eigen::MatrixXf::Identity(size, size));
  const Eigen::LLT<Eigen::MatrixXf> factored(inverse);
  const Eigen::MatrixXf upper = factored.matrixU();
  if (factored.info() != Eigen::Success || !upper.allFinite()) return {};
  for (Eigen::Index first = 0; first < size; first += kPanel) {
    const Eigen::Index count = std::min(kPanel, size - first), rest = size - first - count;
    Eigen::MatrixXf errors(w.rows(), count);
    for (Eigen::Index k = 0; k < count; ++k) {
      const Eigen::Index i = first + k;
      const Eigen::VectorXf exact = w.col(i);
      const auto old = given.col(order[static_cast<size_t>(i)]);
      w.col(i) = exact.binaryExpr(old, [](float x, float before) {
        return before == 0 ? 0 : std::clamp(std::nearbyint(x), -127.0f, 127.0f);
      });
      errors.col(k) = (exact - w.col(i)) / upper(i, i);
      w.middleCols(i + 1, count - k - 1).noalias() -=
          errors.col(k) * upper.row(i).segment(i + 1, count - k - 1);
    }
    w.rightCols(rest).noalias() -= errors * upper.block(first, first + count, count, rest);
  }
  for (Eigen::Index i = 0; i < size; ++i) weights.col(order[static_cast<size_t>(i)]) = w.col(i);
  return weights;
}

// The outputs of one group. What one block of columns leaves is the next one's to make up for.
// `weights`: in steps; empty when the covariance is beyond float.
RowMatrix round_group(const RowMatrix& weights, const RowMatrix& rows, const std::vector<Block>& blocks) {
  RowMatrix result(weights.rows(), weights.cols());
  RowMatrix lacking = RowMatrix::Zero(blocks.size() > 1 ? rows.rows() : 0, weights.rows());
  const float count = static_cast<float>(rows.rows());
  for (size_t b = 0; b < blocks.size(); ++b) {
    const RowMatrix x = rows(Eigen::all, blocks[b].of_rows);
    Eigen::MatrixXf covariance = Eigen::MatrixXf::Zero(x.cols(), x.cols());
    covariance.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose(), 1 / count);
    covariance.triangularView<Eigen::StrictlyUpper>() = covariance.transpose();
    const float scarcity = std::max(1.0f, static_cast<float>(x.cols()) / count);
    const float mean = covariance.trace() / static_cast<float>(x.cols());
    covariance.diagonal().array() += std::max(kDamping * scarcity * mean, 1e-20f);
    const RowMatrix exact = weights(Eigen::all, blocks[b].of_weights);
    RowMatrix target = exact;
    if (b > 0) {
      const Eigen::MatrixXf pull = x.transpose() * lacking / count;
      target += covariance.llt().solve(pull).transpose();
    }
    const RowMatrix q = rounded(target, exact, covariance);
    if (q.size() == 0) return {};
    result(Eigen::all, blocks[b].of_weights) = q;
    if (b + 1 < blocks.size()) lacking.noalias() += x * (exact - q).transpose();
  }
  return result;
}

class Rounder {
 public:
  Rounder(const Graph& graph, const Assignment& assignment, const PassContext& context)
      : graph_(graph),
        assignment_(assignment),
        context_(context),
        samples_(graph, context, kMostSamples),
        result_(graph.nodes.size()) {}

  Rounding run() {
    const std::vector<Layer> layers = find_layers();
    for (size_t first = 0; first < layers.size();) {
      size_t end = first, bytes = 0;
      while (end < layers.size() && (end == first || bytes + bytes_of(layers[end]) <= kMostBytes))
        bytes += bytes_of(layers[end++]);
      round(std::span(layers).subspan(first, end - first));
      first = end;
      if (context_.options.progress)
        context_.options.progress("round weights",
                                  static_cast<double>(end) / static_cast<double>(layers.size()));
    }
    return std::move(result_);
  }

 private:
  std::vector<Layer> find_layers() const {
    std::vector<Layer> layers;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const bool conv = node.code == OpCode::kConv2d;
      if (!assignment_.int8_node[i] || (!conv && node.code != OpCode::kFullyConnected)) continue;
      const int64_t groups = conv ? node.attrs<plan::Conv2dT>().groups : 1;
      const int64_t row = row_length(graph_, node);
      const int64_t wanted = std::clamp(kRowsPerColumn * std::min(row, kMostColumns), kFewestRows, kMostRows);
      layers.push_back(
          {static_cast<int>(i), row * groups, groups, PixelChoice(graph_, node, samples_.count(), wanted)});
    }
    return layers;
  }

  size_t bytes_of(const Layer& layer) const {
    return sizeof(float) * static_cast<size_t>(layer.choice.rows(samples_.count()) * layer.columns);
  }

  void round(std::span<const Layer> layers) {
    std::vector<RowMatrix> rows;
    std::multimap<ValueId, size_t> readers;
    std::vector<ValueId> wanted;
    for (size_t i = 0; i < layers.size(); ++i) {
      const ValueId input = graph_.nodes[static_cast<size_t>(layers[i].node)].inputs[0];
      rows.emplace_back(layers[i].choice.rows(samples_.count()), layers[i].columns);
      readers.emplace(input, i);
      wanted.push_back(input);
    }
    samples_.run(graph_, wanted, [&](int sample, ValueId id, std::span<const float> data) {
      const auto [begin, end] = readers.equal_range(id);
      for (auto at = begin; at != end; ++at) {
        const Layer& layer = layers[at->second];
        const int count = layer.choice.per_sample();
        gather_inputs(graph_, graph_.nodes[static_cast<size_t>(layer.node)], data,
                      layer.choice.pixels(sample), rows[at->second].middleRows(sample * count, count));
      }
    });
    for_each_index(static_cast<int>(layers.size()), context_.options,
                   [&](int i) { round_layer(layers[static_cast<size_t>(i)], rows[static_cast<size_t>(i)]); });
  }

  // Rows of the samples that are used in rounding, or those that are not; about the mean of the former, which
  // the bias takes care of.
  void split(const Layer& layer, const RowMatrix& rows, RowMatrix& fitted, RowMatrix& held) const {
    const int count = layer.choice.per_sample();
    Indices chosen[2];
    for (Eigen::Index row = 0; row < rows.rows(); ++row)
      chosen[is_held_out(static_cast<int>(row) / count) ? 1 : 0].push_back(row);
    fitted = rows(chosen[0], Eigen::all);
    held = chosen[1].empty() ? fitted : RowMatrix(rows(chosen[1], Eigen::all));
    const Eigen::RowVectorXf mean = fitted.colwise().mean();
    fitted.rowwise() -= mean;
    held.rowwise() -= mean;
  }

  void round_layer(const Layer& layer, RowMatrix& rows) {
    const Node& node = graph_.nodes[static_cast<size_t>(layer.node)];
    const Tensor& weights = graph_.constant(node.inputs[1]);
    const auto scale = [&](ValueId id) {
      return assignment_.quantization[static_cast<size_t>(id)]->scales[0];
    };
    std::vector<float> bias;
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue)
      bias = graph_.constant(node.inputs[2]).to_float();
    QuantizedWeights nearest = quantize_weights(weights, bias, scale(node.inputs[0]), scale(node.outputs[0]));
    RowMatrix fitted, held;
    split(layer, rows, fitted, held);
    rows.resize(0, 0);
    const int64_t outputs = weights.type.shape[0], row = weights.elements() / outputs;
    const int64_t per_group = weights.type.shape.back(), taps = row / per_group;
    const Eigen::Map<const Eigen::VectorXf> scales(nearest.scales.data(), outputs);
    const RowMatrix exact =
        Eigen::Map<const RowMatrix>(weights.as<float>().data(), outputs, row).array().colwise() /
        scales.array();
    Eigen::Map<Eigen::Matrix<int8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> target(
        nearest.weights.as<int8_t>().data(), outputs, row);
    bool changed = false;
    for (int64_t g = 0; g < layer.groups; ++g) {
      const int64_t first = g * outputs / layer.groups, count = outputs / layer.groups;
      const std::vector<Block> blocks = blocks_of(taps, layer.columns / taps, per_group, g, kMostColumns);
      const RowMatrix w = exact.middleRows(first, count);
      const RowMatrix q = round_group(w, fitted, blocks);
      const RowMatrix before = target.middleRows(first, count).cast<float>();
      if (q.size() == 0 || error(w - q, held, blocks) >= error(w - before, held, blocks)) continue;
      target.middleRows(first, count) = q.cast<int8_t>();
      changed = true;
    }
    if (changed) result_[static_cast<size_t>(layer.node)] = {nearest.scales, std::move(nearest.weights)};
  }

  // Of the outputs, in squares of each one's steps.
  static double error(const RowMatrix& difference, const RowMatrix& rows, const std::vector<Block>& blocks) {
    RowMatrix outputs = RowMatrix::Zero(rows.rows(), difference.rows());
    for (const Block& block : blocks) {
      outputs.noalias() += RowMatrix(rows(Eigen::all, block.of_rows)) *
                           RowMatrix(difference(Eigen::all, block.of_weights)).transpose();
    }
    return static_cast<double>(outputs.squaredNorm());
  }

  const Graph& graph_;
  const Assignment& assignment_;
  const PassContext& context_;
  const CalibrationSamples samples_;
  Rounding result_;
};

}  // namespace

Rounding round_weights(const Graph& graph, const Assignment& assignment, const PassContext& context) {
  return Rounder(graph, assignment, context).run();
}

}  // namespace bantam::compiler
