// Weights of 8 or 4 bits for fully connected layers that stay float, where asked for: --weights and
// --dynamic.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "passes/pass.h"

namespace bantam::compiler {
namespace {

// Scales of rows of zeros; XNNPACK wants normal numbers.
constexpr float kLeastScale = 0x1p-60f;

struct Grid {
  float low, high;  // integers
};
// Of int8, -128 is left out: kernels for NEON add two products in an int16.
constexpr Grid kInt8Grid = {-127, 127};
constexpr Grid kNibbleGrid = {-8, 7};

float nearest(float weight, float scale, const Grid& grid) {
  return std::clamp(std::nearbyint(weight / scale), grid.low, grid.high);
}

struct Fit {
  double scale = 0;
  double error = 0;  // sum of squares
};

// The scale that serves a row best once each weight has been rounded with `scale`: <w, q> / <q, q>.
Fit refit(std::span<const float> row, double scale, const Grid& grid) {
  double wq = 0, qq = 0, ww = 0;
  for (const float w : row) {
    const double q = nearest(w, static_cast<float>(scale), grid);
    wq += w * q;
    qq += q * q;
    ww += double{w} * w;
  }
  if (!(qq > 0) || !(wq > 0)) return {scale, ww};
  return {wq / qq, ww - wq * wq / qq};
}

// Least squares by turns, of the integers and of the scale, from several scales that clip more and more. Each
// turn lowers the error or ends; a handful is enough.
float scale_of_nibbles(std::span<const float> row, float largest) {
  constexpr int kStarts = 10, kTurns = 4;
  Fit best{largest / kNibbleGrid.high, HUGE_VAL};
  for (int start = 0; start < kStarts; ++start) {
    double scale = largest / kNibbleGrid.high * (1 - 0.06 * start);
    for (int turn = 0; turn < kTurns; ++turn) {
      const Fit fit = refit(row, scale, kNibbleGrid);
      if (fit.error < best.error) best = fit;
      if (fit.scale == scale) break;
      scale = fit.scale;
    }
  }
  return static_cast<float>(best.scale);
}

float scale_of(std::span<const float> row, int bits) {
  float largest = 0;
  for (const float w : row) largest = std::max(largest, std::fabs(w));
  if (largest < kLeastScale) return kLeastScale;
  return std::max(bits == 4 ? scale_of_nibbles(row, largest) : largest / kInt8Grid.high, kLeastScale);
}

// [O, K] floats as int8 [O, K] or, in 4 bits, [O, K / 2]; symmetric, one scale for each row.
Tensor narrowed(const Tensor& weights, int bits, std::vector<float>& scales) {
  const std::span<const float> source = weights.as<float>();
  const auto columns = static_cast<size_t>(weights.type.shape[1]);
  const auto rows = static_cast<size_t>(weights.type.shape[0]);
  const Grid& grid = bits == 4 ? kNibbleGrid : kInt8Grid;
  Tensor result(TensorType{DType::kInt8, {weights.type.shape[0], weights.type.shape[1] * bits / 8}});
  for (size_t r = 0; r < rows; ++r) {
    const std::span<const float> row = source.subspan(r * columns, columns);
    scales.push_back(scale_of(row, bits));
    for (size_t k = 0; k < columns; ++k) {
      const int q = static_cast<int>(nearest(row[k], scales.back(), grid));
      const size_t i = r * columns + k;
      if (bits == 8) {
        result.as<int8_t>()[i] = static_cast<int8_t>(q);
      } else {
        result.bytes[i / 2] |= static_cast<std::byte>((q + 8) << (i % 2 == 0 ? 0 : 4));
      }
    }
  }
  return result;
}

// Signal to noise of the weights once they have 4 bits, in dB.
double nibble_ratio(const Tensor& weights, const Tensor& narrow, const std::vector<float>& scales) {
  const auto columns = static_cast<size_t>(weights.type.shape[1]);
  double signal = 0, noise = 0;
  for (size_t i = 0; i < weights.as<float>().size(); ++i) {
    const int pair = std::to_integer<int>(narrow.bytes[i / 2]);
    const int q = (i % 2 == 0 ? pair & 15 : pair >> 4) - 8;
    const double w = weights.as<float>()[i];
    signal += w * w;
    noise += std::pow(w - double{scales[i / columns]} * q, 2);
  }
  return noise == 0 ? HUGE_VAL : 10 * std::log10(signal / noise);
}

bool constant_or_absent(const Graph& graph, const Node& node, size_t i) {
  return node.inputs.size() <= i || node.inputs[i] == kNoValue || graph.is_constant(node.inputs[i]);
}

bool all_finite(const Tensor& tensor) {
  const std::span<const float> data = tensor.as<float>();
  return std::all_of(data.begin(), data.end(), [](float x) { return std::isfinite(x); });
}

// A fully connected layer of floats whose weights are numbers.
bool can_be_narrow(const Graph& graph, const Node& node) {
  return node.code == OpCode::kFullyConnected && graph.dtype(node.inputs[0]) == DType::kFloat32 &&
         graph.is_constant(node.inputs[1]) && graph.dtype(node.inputs[1]) == DType::kFloat32 &&
         constant_or_absent(graph, node, 2) && graph.shape(node.inputs[1])[1] > 0 &&
         all_finite(graph.constant(node.inputs[1]));
}

}  // namespace

void narrow_matrices(Graph& graph, PassContext& context) {
  const bool quantize_rows = context.options.quantize_rows;
  const int asked = context.options.weight_bits == 0 && quantize_rows ? 8 : context.options.weight_bits;
  if (asked == 0) return;
  double least = HUGE_VAL;  // dB
  std::string coarsest;
  for (Node& node : graph.nodes) {
    if (!can_be_narrow(graph, node)) continue;
    const Tensor& weights = graph.constant(node.inputs[1]);
    const bool odd = weights.type.shape[1] % 2 != 0;
    if (asked == 4 && odd) {
      graph.note(node.name, fmt::format("its weights have 8 bits: 4 need an even number of columns, not {}",
                                        weights.type.shape[1]));
    }
    plan::NarrowFullyConnectedT attributes;
    attributes.bits = static_cast<uint8_t>(odd ? 8 : asked);
    attributes.quantize_rows = quantize_rows;
    attributes.clamp = std::move(node.attrs<plan::FullyConnectedT>().clamp);
    Quantization quantization;
    Tensor narrow = narrowed(weights, attributes.bits, quantization.scales);
    const double ratio = attributes.bits == 4 ? nibble_ratio(weights, narrow, quantization.scales) : HUGE_VAL;
    if (ratio < least) {
      least = ratio;
      coarsest = node.name;
    }
    node.inputs[1] = graph.add_constant(graph.value(node.inputs[1]).name, std::move(narrow));
    graph.value(node.inputs[1]).quantization = std::move(quantization);
    node.code = OpCode::kNarrowFullyConnected;
    node.attributes = std::move(attributes);
  }
  if (least < HUGE_VAL) {
    context.warnings.push_back(fmt::format(
        "weights of 4 bits are coarse: those of {} are {:.1f} dB above their rounding, the others "
        "more; measure the accuracy with bantam eval, or use --weights 8",
        coarsest, least));
  }
}

}  // namespace bantam::compiler
