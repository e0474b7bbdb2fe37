#include "emit/zeros.h"

#include <algorithm>

#include "zero_mask.h"

namespace bantam::compiler {
namespace {

constexpr uint64_t kWorthwhile = 16;  // a part of the bytes that has to be saved

bool has_weights(OpCode code) {
  return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d || code == OpCode::kFullyConnected ||
         code == OpCode::kNarrowFullyConnected;
}

}  // namespace

std::vector<bool> weights_of_layers(const Graph& graph) {
  std::vector<bool> weights(graph.values.size(), false), others(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue) continue;
      const bool is_weights = i == 1 && has_weights(node.code);
      (is_weights ? weights : others)[static_cast<size_t>(node.inputs[i])] = true;
    }
  }
  for (size_t id = 0; id < weights.size(); ++id) weights[id] = weights[id] && !others[id];
  return weights;
}

std::vector<std::byte> without_zeros(const Tensor& tensor) {
  const DType dtype = tensor.type.dtype;
  if (dtype != DType::kFloat32 && dtype != DType::kFloat16 && dtype != DType::kInt8) return {};
  const size_t element = element_size(dtype);
  const auto elements = static_cast<size_t>(tensor.elements());
  const auto is_zero = [&](size_t i) {
    const std::byte* bytes = tensor.bytes.data() + i * element;
    return std::all_of(bytes, bytes + element, [](std::byte byte) { return byte == std::byte{0}; });
  };
  std::vector<std::byte> packed(zero_mask_bytes(elements));
  for (size_t i = 0; i < elements; ++i) {
    if (is_zero(i)) continue;
    packed[i / 8] |= static_cast<std::byte>(1 << i % 8);
    const std::byte* bytes = tensor.bytes.data() + i * element;
    packed.insert(packed.end(), bytes, bytes + element);
  }
  const size_t whole = elements * element;
  return whole >= packed.size() && (whole - packed.size()) * kWorthwhile >= whole && !packed.empty()
             ? packed
             : std::vector<std::byte>();
}

}  // namespace bantam::compiler
