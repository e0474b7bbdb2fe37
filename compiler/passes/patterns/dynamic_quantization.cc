// Layers that ONNX Runtime's quantize_dynamic wrote: DynamicQuantizeLinear, MatMulInteger or ConvInteger with
// constant weights, Cast, Mul by both scales and often Add of a bias. A matrix product becomes one op that
// rounds its rows itself, each in its own range where the model takes that of the whole tensor: the same for
// one row, finer for several. A convolution becomes one of floats with the model's weights; its data are not
// rounded at all.
#include <algorithm>
#include <cmath>
#include <vector>

#include "passes/patterns/patterns.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::UnaryKind;

// (clamp(round(x / scale) + zero, 0, 255) - zero): x, when `scale` is the divisor.
ValueId quantized_source(Matcher& match, ValueId id, ValueId scale) {
  const Node* sub = match.binary(id, BinaryKind::kSub);
  const Node* clamp = sub == nullptr ? nullptr : match.unary(sub->inputs[0], UnaryKind::kClamp);
  if (clamp == nullptr) return kNoValue;
  const auto& limits = clamp->attrs<plan::UnaryT>();
  const Node* add = match.binary(clamp->inputs[0], BinaryKind::kAdd);
  if (limits.alpha != 0.0f || limits.beta != 255.0f || add == nullptr || add->inputs[1] != sub->inputs[1]) {
    return kNoValue;
  }
  const Node* round = match.unary(add->inputs[0], UnaryKind::kRound);
  const Node* div = round == nullptr ? nullptr : match.binary(round->inputs[0], BinaryKind::kDiv);
  return div != nullptr && div->inputs[1] == scale ? div->inputs[0] : kNoValue;
}

struct Factors {
  const Node* product = nullptr;  // of integers
  ValueId scale = kNoValue;       // of the data
  std::vector<ValueId> constants;
  bool others = false;
};

const Node* integer_product(Matcher& match, ValueId id) {
  const Node* node = match.producer(id);
  for (int casts = 0; casts < 2 && node != nullptr && node->code == OpCode::kCast; ++casts) {
    node = match.producer(node->inputs[0]);
  }
  if (node == nullptr || node->inputs.size() != 2) return nullptr;
  return node->code == OpCode::kFullyConnected || node->code == OpCode::kConv2d ? node : nullptr;
}

void collect(const Graph& graph, Matcher& match, ValueId id, Factors& factors, int depth) {
  const Node* mul = depth > 0 ? match.binary(id, BinaryKind::kMul) : nullptr;
  if (mul != nullptr) {
    for (const ValueId factor : mul->inputs) collect(graph, match, factor, factors, depth - 1);
  } else if (graph.is_constant(id)) {
    factors.constants.push_back(id);
  } else if (const Node* product = integer_product(match, id)) {
    factors.others = factors.others || factors.product != nullptr;
    factors.product = product;
  } else {
    factors.others = factors.others || factors.scale != kNoValue;
    factors.scale = id;
  }
}

// Whether a constant of this shape, broadcast to the product, has one number or one for each channel, which
// lie along axis `axis` from the end.
bool follows_channels(const Shape& shape, size_t axis, int64_t channels) {
  for (size_t i = 1; i <= shape.size(); ++i) {
    const int64_t length = shape[shape.size() - i];
    if (length != 1 && (i != axis || length != channels)) return false;
  }
  return true;
}

size_t channel_axis(const Node& product) { return product.code == OpCode::kConv2d ? 3 : 1; }

// The product of the constants for each of `channels`, or for all; empty when one has another shape.
std::vector<float> channel_scales(const Graph& graph, const std::vector<ValueId>& constants, size_t axis,
                                  int64_t channels) {
  std::vector<float> scales(1, 1.0f);
  for (const ValueId id : constants) {
    if (graph.dtype(id) != DType::kFloat32 || !follows_channels(graph.shape(id), axis, channels)) return {};
    const std::span<const float> values = graph.constant(id).as<float>();
    if (values.size() > 1 && scales.size() == 1) scales.resize(values.size(), scales[0]);
    for (size_t c = 0; c < scales.size(); ++c) scales[c] *= values[values.size() == 1 ? 0 : c];
  }
  const bool usable =
      std::all_of(scales.begin(), scales.end(), [](float s) { return s > 0 && std::isnormal(s); });
  return usable ? scales : std::vector<float>();
}

// As int8, unless the kernels cannot hold it: those for NEON add two products in an int16.
std::optional<Tensor> int8_weights(const Tensor& weights) {
  if (!weights.steps || weights.type.shape[1] == 0) return std::nullopt;
  Tensor result(TensorType{DType::kInt8, weights.type.shape});
  const std::span<const float> source = weights.as<float>();
  const auto row = static_cast<size_t>(weights.type.shape[1]);
  int least = 0;
  for (size_t i = 0; i < source.size(); ++i) {
    if (i % row == 0) least = 0;
    least += source[i] == -128 ? 1 : 0;
    if (!(source[i] >= -128 && source[i] <= 127) || source[i] != std::nearbyint(source[i]) || least > 1) {
      return std::nullopt;
    }
    result.as<int8_t>()[i] = static_cast<int8_t>(source[i]);
  }
  return result;
}

void become_matrix(Graph& graph, Node& node, ValueId x, ValueId weights, const std::vector<float>& scales) {
  std::optional<Tensor> int8 = int8_weights(graph.constant(weights));
  if (!int8) {
    graph.note(node.name, "stays arithmetic on floats: its weights less their zero points are not int8");
    return;
  }
  const ValueId constant = graph.add_constant(graph.value(weights).name, std::move(*int8));
  graph.value(constant).quantization = Quantization{scales, 0};
  plan::NarrowFullyConnectedT attributes;
  attributes.quantize_rows = true;
  node.code = OpCode::kNarrowFullyConnected;
  node.inputs = {x, constant};
  node.attributes = std::move(attributes);
  graph.note(node.name,
             "each row of its data is rounded in its own range; the model takes one for the tensor");
}

void become_convolution(Graph& graph, const Node& product, Node& node, ValueId x,
                        const std::vector<float>& scales) {
  const Tensor& integers = graph.constant(product.inputs[1]);
  Tensor real(integers.type);
  const size_t filter = integers.as<float>().size() / static_cast<size_t>(integers.type.shape[0]);
  for (size_t i = 0; i < real.as<float>().size(); ++i) {
    real.as<float>()[i] = integers.as<float>()[i] * scales[scales.size() == 1 ? 0 : i / filter];
  }
  const ValueId constant = graph.add_constant(graph.value(product.inputs[1]).name, std::move(real));
  node.code = OpCode::kConv2d;
  node.inputs = {x, constant};
  node.attributes = product.attributes;
  graph.note(node.name, "its data are floats, not rounded as the model does");
}

void become_dynamic(Graph& graph, Matcher& match, Node& node) {
  Factors factors;
  collect(graph, match, node.outputs[0], factors, 3);
  if (factors.product == nullptr || factors.scale == kNoValue || factors.others) return;
  const Node product = *factors.product;
  const ValueId x = quantized_source(match, product.inputs[0], factors.scale);
  const ValueId weights = product.inputs[1];
  if (x == kNoValue || !graph.is_constant(weights) || graph.dtype(weights) != DType::kFloat32) return;
  if (graph.shape(node.outputs[0]) != graph.shape(product.outputs[0]) || graph.shape(weights)[0] == 0) return;
  const std::vector<float> scales =
      channel_scales(graph, factors.constants, channel_axis(product), graph.shape(weights)[0]);
  if (scales.empty()) return;
  if (product.code == OpCode::kConv2d) {
    become_convolution(graph, product, node, x, scales);
  } else {
    become_matrix(graph, node, x, weights, scales);
  }
}

// Of a product that `node` adds a constant to, the bias that it amounts to.
void add_bias(Graph& graph, Matcher& match, Node& node) {
  if (node.code != OpCode::kBinary || node.attrs<plan::BinaryT>().kind != BinaryKind::kAdd) return;
  for (size_t i = 0; i < 2; ++i) {
    const Node* product = match.producer(node.inputs[i]);
    const ValueId bias = node.inputs[1 - i];
    if (product == nullptr || product->code != OpCode::kNarrowFullyConnected || product->inputs.size() != 2 ||
        !graph.is_constant(bias) || graph.dtype(bias) != DType::kFloat32) {
      continue;
    }
    const int64_t channels = graph.shape(product->inputs[1])[0];
    if (element_count(graph.shape(bias)) != channels || !follows_channels(graph.shape(bias), 1, channels) ||
        graph.shape(node.outputs[0]) != graph.shape(product->outputs[0])) {
      continue;
    }
    const Node layer = *product;
    node.code = layer.code;
    node.attributes = layer.attributes;
    const ValueId vector =
        graph.add_constant(graph.value(bias).name, reshaped(graph.constant(bias), {channels}));
    node.inputs = {layer.inputs[0], layer.inputs[1], vector};
    return;
  }
}

}  // namespace

void match_dynamic_quantization(Graph& graph) {
  Matcher match(graph);
  for (Node& node : graph.nodes) {
    if (node.code == OpCode::kBinary && node.attrs<plan::BinaryT>().kind == BinaryKind::kMul) {
      become_dynamic(graph, match, node);
    }
  }
  for (Node& node : graph.nodes) add_bias(graph, match, node);
}

}  // namespace bantam::compiler
