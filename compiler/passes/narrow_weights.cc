// fp16 plans: the weights of Conv2d, ConvTranspose2d and FullyConnected are stored as float16.
#include <bit>
#include <cmath>

#include "passes/pass.h"

namespace bantam::compiler {
namespace {

// IEEE 754 round to nearest even; overflow becomes the largest finite number, so that a weight never turns
// infinite.
uint16_t to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 65520.0f) return static_cast<uint16_t>(sign | 0x7bffu);
  if (magnitude < 0x1p-14f) {  // subnormal halves: multiples of 2^-24
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f)));
  }
  const uint32_t rounded = (bits & 0x7fffffffu) + 0xfffu + ((bits >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded >> 13) - (112u << 10)));
}

Tensor narrowed(const Tensor& tensor) {
  Tensor result(TensorType{DType::kFloat16, tensor.type.shape});
  const std::span<const float> data = tensor.as<float>();
  for (size_t i = 0; i < data.size(); ++i) {
    const uint16_t half = to_half(data[i]);
    std::memcpy(result.bytes.data() + i * sizeof(half), &half, sizeof(half));
  }
  return result;
}

bool has_weights(OpCode code) {
  return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d || code == OpCode::kFullyConnected;
}

}  // namespace

void narrow_weights(Graph& graph, PassContext& context) {
  if (context.options.precision != Precision::kFp16) return;
  for (Node& node : graph.nodes) {
    if (!has_weights(node.code) || graph.dtype(node.inputs[1]) != DType::kFloat32) continue;
    node.inputs[1] =
        graph.add_constant(graph.value(node.inputs[1]).name, narrowed(graph.constant(node.inputs[1])));
  }
}

}  // namespace bantam::compiler
