// Unstructured pruning: a share of the weights becomes zero, and the plan stores it no more.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "bantam/compiler/error.h"
#include "passes/pass.h"
#include "prune/channels/structure.h"
#include "prune/data/layer_rows.h"
#include "prune/least_squares.h"
#include "sparsity/curves.h"
#include "sparsity/solve_layer.h"

namespace bantam::compiler {
namespace {

constexpr int kMostSamples = 512;         // of the calibration data, copies of images included
constexpr int64_t kMostCorrected = 2304;  // columns of a layer that is solved for what layers ahead lack

int64_t count_weights(const std::vector<SparseLayer>& layers) {
  return std::accumulate(layers.begin(), layers.end(), int64_t{0},
                         [](int64_t sum, const SparseLayer& layer) { return sum + layer.weights(); });
}

std::vector<SparseLayer> checked_layers(const Graph& graph, const CompileOptions& options) {
  const double share = options.sparsity->share;
  if (!(share > 0 && share < 1))
    throw CompileError(fmt::format("--sparsity {:g}: the share must lie between 0 and 1", share));
  std::vector<SparseLayer> layers = find_sparse_layers(graph);
  if (layers.empty()) {
    throw CompileError(
        "--sparsity: the model has no convolution (of one group) or fully connected layer with constant "
        "float32 weights of its own");
  }
  return layers;
}

// In order, with inputs from the layers ahead as they are now, towards the outputs of the whole network.
void solve_in_order(Graph& graph, const std::vector<SparseLayer>& layers, const std::vector<int64_t>& zeros,
                    const CalibrationSamples& samples, const PassContext& context) {
  const Graph teacher = graph;
  LayerReader reader(teacher, graph, samples, context, [&](ValueId id) {
    std::vector<int> all(static_cast<size_t>(graph.shape(id).back()));
    std::iota(all.begin(), all.end(), 0);
    return all;
  });
  for (size_t i = 0; i < layers.size(); ++i) {
    const SparseLayer& layer = layers[i];
    const Node& node = graph.nodes[static_cast<size_t>(layer.node)];
    const PixelChoice choice(graph, node, samples.count(), rows_for_solution(layer));
    const LayerRows rows = reader.read(layer.node, choice, false);
    const RowMatrix old = weights_of(graph, layer);
    RowMatrix weights = old;
    Eigen::VectorXf shift = rows.residuals.colwise().mean().transpose();
    if (layer.columns <= kMostCorrected) {
      const Correction correction = solve_correction(rows.inputs, rows.residuals, choice.per_sample());
      if (correction.weights.size() > 0) weights += correction.weights;
      shift = correction.bias;
    }
    if (zeros[i] > 0) {
      const SolvedLayer solved =
          LayerSolver(layer, rows.inputs, choice.per_sample(), context.options).solve(weights, zeros[i]);
      weights = solved.weights;
      shift += solved.shift;
    }
    set_weights(graph, layer, weights, shift);
    if (context.options.progress)
      context.options.progress("sparsify", static_cast<double>(i + 1) / static_cast<double>(layers.size()));
  }
}

void take_least(Graph& graph, const std::vector<SparseLayer>& layers, const std::vector<int64_t>& zeros) {
  for (size_t i = 0; i < layers.size(); ++i)
    set_weights(graph, layers[i], without_least(weights_of(graph, layers[i]), zeros[i]),
                Eigen::VectorXf::Zero(layers[i].outputs));
}

void describe(Graph& graph, const std::vector<SparseLayer>& layers, const std::string& how,
              PassContext& context) {
  int64_t zeros = 0;
  for (const SparseLayer& layer : layers) {
    const int64_t here = count_zeros(weights_of(graph, layer));
    zeros += here;
    graph.note(graph.nodes[static_cast<size_t>(layer.node)].name,
               fmt::format("{:.0f} % of its weights are zero",
                           100 * static_cast<double>(here) / static_cast<double>(layer.weights())));
  }
  context.sparsity_summary =
      fmt::format("{:.1f} % of {} weights in {} layers are zero, {}",
                  100 * static_cast<double>(zeros) / static_cast<double>(count_weights(layers)),
                  count_weights(layers), layers.size(), how);
}

// Whether weights have to stay multiples of the steps that the model was quantized to.
bool is_quantized(const Graph& graph, const std::vector<SparseLayer>& layers) {
  return std::any_of(layers.begin(), layers.end(), [&](const SparseLayer& layer) {
    return graph.constant(graph.nodes[static_cast<size_t>(layer.node)].inputs[1]).steps != nullptr;
  });
}

bool by_second_order(const Graph& graph, const std::vector<SparseLayer>& layers, PassContext& context) {
  const SparsityOptions& options = *context.options.sparsity;
  if (options.criterion == SparsityCriterion::kMagnitude) return false;
  const bool asked = options.criterion.has_value();
  if (is_quantized(graph, layers)) {
    const char* why = "the weights of a model that is quantized already keep their steps";
    if (asked) throw CompileError(fmt::format("--sparsity-by second-order: {}; choose magnitude", why));
    context.warnings.emplace_back(fmt::format("--sparsity takes the smallest weights: {}", why));
    return false;
  }
  if (context.options.calibration) return true;
  if (asked) {
    throw CompileError(
        "--sparsity-by second-order needs calibration data: give --calibrate with a folder of images or an "
        ".npy file");
  }
  context.warnings.emplace_back(
      "--sparsity without --calibrate takes the smallest weights and leaves the others as they are; with "
      "samples, those that stay make up for those that go");
  return false;
}

}  // namespace

void sparsify(Graph& graph, PassContext& context) {
  if (!context.options.sparsity) return;
  separate_constants(graph);
  const std::vector<SparseLayer> layers = checked_layers(graph, context.options);
  const int64_t total =
      static_cast<int64_t>(context.options.sparsity->share * static_cast<double>(count_weights(layers)));
  if (!by_second_order(graph, layers, context)) {
    take_least(graph, layers, allocate_zeros(magnitude_curves(graph, layers), total));
    return describe(graph, layers, "by magnitude", context);
  }
  add_biases(graph);
  const CalibrationSamples samples(graph, context, kMostSamples);
  const std::vector<LossCurve> curves = second_order_curves(graph, layers, samples, context);
  solve_in_order(graph, layers, allocate_zeros(curves, total), samples, context);
  describe(graph, layers, fmt::format("by second order on {}", samples.description()), context);
}

}  // namespace bantam::compiler
