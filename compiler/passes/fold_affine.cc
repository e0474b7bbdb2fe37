// Multiplications and additions per channel (BatchNormalization arrives here as Mul and Add) go into the
// weights and bias of the Conv2d, ConvTranspose2d or FullyConnected before them. Where there is none they
// become a depthwise 1x1 Conv2d: one pass over the data, and one scale per channel in int8.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

bool has_weights(OpCode code) {
  return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d || code == OpCode::kFullyConnected;
}

bool has_clamp(const Node& node) {
  if (const auto* conv = std::get_if<plan::Conv2dT>(&node.attributes)) return conv->clamp != nullptr;
  if (const auto* fc = std::get_if<plan::FullyConnectedT>(&node.attributes)) return fc->clamp != nullptr;
  return true;
}

// The constant as one number per channel of the last axis, when it broadcasts only so.
std::optional<std::vector<float>> per_channel(const Graph& graph, ValueId id, int64_t channels, size_t rank) {
  if (!graph.is_constant(id) || graph.dtype(id) != DType::kFloat32) return std::nullopt;
  const Tensor& tensor = graph.constant(id);
  const Shape& shape = tensor.type.shape;
  const std::span<const float> data = tensor.as<float>();
  if (shape.size() > rank) return std::nullopt;
  if (data.size() == 1) return std::vector<float>(static_cast<size_t>(channels), data[0]);
  if (shape.empty() || shape.back() != channels || static_cast<int64_t>(data.size()) != channels)
    return std::nullopt;
  return std::vector<float>(data.begin(), data.end());
}

struct Affine {
  std::vector<float> scale, shift;  // per channel: y = x * scale + shift
};

// What `node` does to the channels of `x`, when that is all it does.
std::optional<Affine> affine_of(const Graph& graph, const Node& node, ValueId x) {
  if (node.code != OpCode::kBinary || node.attrs<plan::BinaryT>().clamp != nullptr) return std::nullopt;
  const bool x_first = node.inputs[0] == x;
  const ValueId other = node.inputs[x_first ? 1 : 0];
  const Shape& shape = graph.shape(x);
  if (other == x || shape.empty() || graph.shape(node.outputs[0]) != shape) return std::nullopt;
  const auto values = per_channel(graph, other, shape.back(), shape.size());
  if (!values) return std::nullopt;
  const size_t channels = values->size();
  Affine affine{std::vector<float>(channels, 1.0f), std::vector<float>(channels, 0.0f)};
  for (size_t c = 0; c < channels; ++c) {
    const float v = (*values)[c];
    switch (node.attrs<plan::BinaryT>().kind) {
      case plan::BinaryKind::kAdd:
        affine.shift[c] = v;
        break;
      case plan::BinaryKind::kSub:
        affine.shift[c] = x_first ? -v : v;
        affine.scale[c] = x_first ? 1.0f : -1.0f;
        break;
      case plan::BinaryKind::kMul:
        affine.scale[c] = v;
        break;
      case plan::BinaryKind::kDiv:
        if (!x_first) return std::nullopt;
        affine.scale[c] = 1.0f / v;
        break;
      default:
        return std::nullopt;
    }
  }
  return affine;
}

// Weights that are multiples of a step stay so: of the scaled one.
void scale_steps(Tensor& weights, const std::vector<float>& scale) {
  const std::shared_ptr<const Steps> before = std::exchange(weights.steps, nullptr);
  if (!before) return;
  const bool one = before->sizes.size() == 1;
  if (!one && (before->axis != 0 || before->sizes.size() != scale.size())) return;
  Steps after{scale, 0};
  for (size_t c = 0; c < scale.size(); ++c) after.sizes[c] = before->sizes[one ? 0 : c] * std::fabs(scale[c]);
  weights.steps = std::make_shared<const Steps>(std::move(after));
}

void apply(Graph& graph, Node& node, const Affine& affine) {
  const size_t channels = affine.scale.size();
  Tensor weights = graph.constant(node.inputs[1]);
  const std::span<float> data = weights.as<float>();
  const size_t row = data.size() / channels;
  for (size_t c = 0; c < channels; ++c) {
    for (size_t i = 0; i < row; ++i) data[c * row + i] *= affine.scale[c];
  }
  scale_steps(weights, affine.scale);
  Tensor bias(TensorType{DType::kFloat32, {static_cast<int64_t>(channels)}});
  const std::span<float> shift = bias.as<float>();
  const bool had_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  for (size_t c = 0; c < channels; ++c) {
    const float before = had_bias ? graph.constant(node.inputs[2]).as<float>()[c] : 0.0f;
    shift[c] = before * affine.scale[c] + affine.shift[c];
  }
  const std::string name = graph.value(node.inputs[1]).name;
  node.inputs.resize(2);
  node.inputs[1] = graph.add_constant(name, std::move(weights));
  node.inputs.push_back(graph.add_constant(name + " bias", std::move(bias)));
}

bool foldable(const Graph& graph, const Node& node) {
  return has_weights(node.code) && !has_clamp(node) && graph.is_constant(node.inputs[1]) &&
         graph.dtype(node.inputs[1]) == DType::kFloat32 &&
         (node.inputs.size() < 3 || node.inputs[2] == kNoValue || graph.is_constant(node.inputs[2]));
}

bool fold_one(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!foldable(graph, node)) continue;
    const int next = uses.sole_reader(graph, node.outputs[0]);
    if (next < 0) continue;
    Node& reader = graph.nodes[static_cast<size_t>(next)];
    const auto affine =
        reader.code == OpCode::kNone ? std::nullopt : affine_of(graph, reader, node.outputs[0]);
    if (!affine || graph.constant(node.inputs[1]).type.shape[0] != static_cast<int64_t>(affine->scale.size()))
      continue;
    apply(graph, node, *affine);
    graph.note_fusion(node.name, "'" + reader.name + "' is folded into its weights and bias");
    node.outputs[0] = reader.outputs[0];
    reader.code = OpCode::kNone;  // swallowed; its output is now the node's
    changed = true;
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.code == OpCode::kNone; });
  return changed;
}

bool is_feature_map(const Graph& graph, ValueId id) {
  return graph.dtype(id) == DType::kFloat32 && graph.shape(id).size() == 4 && graph.shape(id)[3] > 1;
}

// The operand of a Binary that is not the constant.
ValueId data_operand(const Graph& graph, const Node& node) {
  if (node.code != OpCode::kBinary || graph.is_constant(node.inputs[0]) == graph.is_constant(node.inputs[1]))
    return kNoValue;
  return graph.is_constant(node.inputs[0]) ? node.inputs[1] : node.inputs[0];
}

bool is_vector(const Affine& affine) {
  const auto differs = [](const std::vector<float>& v) {
    return std::any_of(v.begin(), v.end(), [&](float x) { return x != v[0]; });
  };
  return differs(affine.scale) || differs(affine.shift);
}

void become_depthwise(Graph& graph, Node& node, ValueId x, const Affine& affine) {
  const int64_t channels = graph.shape(x)[3];
  plan::Conv2dT conv;
  conv.groups = static_cast<int32_t>(channels);
  const auto constant = [&](const std::vector<float>& data, Shape shape, const char* what) {
    return graph.add_constant(node.name + what, Tensor::of<float>(std::move(shape), data));
  };
  node.inputs = {x, constant(affine.scale, {channels, 1, 1, 1}, " scale"),
                 constant(affine.shift, {channels}, " shift")};
  node.code = OpCode::kConv2d;
  node.attributes = std::move(conv);
}

// The first one only: those after it may be folded into it.
bool lone_affine_to_depthwise(Graph& graph) {
  for (Node& node : graph.nodes) {
    const ValueId x = data_operand(graph, node);
    if (x == kNoValue || !is_feature_map(graph, x)) continue;
    const auto affine = affine_of(graph, node, x);
    if (!affine || !is_vector(*affine)) continue;
    become_depthwise(graph, node, x, *affine);
    return true;
  }
  return false;
}

void fold_all(Graph& graph) {
  while (fold_one(graph)) {
  }
}

}  // namespace

void fold_affine(Graph& graph, PassContext&) {
  fold_all(graph);
  while (lone_affine_to_depthwise(graph)) fold_all(graph);
}

}  // namespace bantam::compiler
