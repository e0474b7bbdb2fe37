// fp16 plans, and what int8 plans keep in float16: weights and biases are stored as float16, where they are
// numbers that float16 has.
#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "passes/half_range.h"
#include "passes/pass.h"

namespace bantam::compiler {
namespace {

// IEEE 754 round to nearest even, of numbers that fit.
uint16_t to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const float magnitude = std::fabs(value);
  if (magnitude < 0x1p-14f) {  // subnormal halves: multiples of 2^-24
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f)));
  }
  const uint32_t rounded = (bits & 0x7fffffffu) + 0xfffu + ((bits >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded >> 13) - (112u << 10)));
}

// Of the rounding of a normal number it is 3e-4 at most; below 2^-14 float16 loses digit after digit.
constexpr double kMostNoise = 2e-3;

struct Narrowed {
  Tensor tensor;
  double noise = 0;  // root mean square of the rounding, relative to that of the numbers
};

Narrowed narrowed(const Tensor& tensor) {
  Narrowed result{Tensor(TensorType{DType::kFloat16, tensor.type.shape})};
  const std::span<const float> data = tensor.as<float>();
  double noise = 0, power = 0;
  for (size_t i = 0; i < data.size(); ++i) {
    const uint16_t half = to_half(data[i]);
    std::memcpy(result.tensor.bytes.data() + i * sizeof(half), &half, sizeof(half));
    noise += std::pow(double{from_half(half)} - data[i], 2);
    power += std::pow(double{data[i]}, 2);
  }
  result.noise = power == 0 ? 0 : std::sqrt(noise / power);
  return result;
}

bool has_weights(OpCode code) {
  return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d || code == OpCode::kFullyConnected;
}

// The constant as float16, or itself with a note why not.
ValueId narrow(Graph& graph, const Node& node, ValueId id, const char* what) {
  const float largest = largest_magnitude(graph.constant(id));
  if (!(largest <= kLargestHalf)) {
    graph.note(node.name,
               fmt::format("its {} stay float32: up to {:.3g} is more than float16 holds", what, largest));
    return id;
  }
  Narrowed half = narrowed(graph.constant(id));
  if (half.noise > kMostNoise) {
    graph.note(node.name,
               fmt::format("its {} stay float32: no more than {:.3g}, they are too small for float16", what,
                           largest));
    return id;
  }
  return graph.add_constant(graph.value(id).name, std::move(half.tensor));
}

}  // namespace

float from_half(uint16_t half) {
  const uint32_t exponent = (half >> 10) & 0x1fu, mantissa = half & 0x3ffu;
  const float magnitude = exponent == 0 ? static_cast<float>(mantissa) * 0x1p-24f
                                        : std::bit_cast<float>(((exponent + 112) << 23) | (mantissa << 13));
  return (half & 0x8000u) != 0 ? -magnitude : magnitude;
}

float largest_magnitude(const Tensor& tensor) {
  float largest = 0;
  const auto look_at = [&](float value) {
    if (std::isnan(value) || std::fabs(value) > largest) largest = std::fabs(value);
  };
  if (tensor.type.dtype == DType::kFloat16) {
    for (size_t i = 0; i < tensor.bytes.size(); i += sizeof(uint16_t)) {
      uint16_t half;
      std::memcpy(&half, tensor.bytes.data() + i, sizeof(half));
      look_at(from_half(half));
    }
  } else {
    for (const float value : tensor.as<float>()) look_at(value);
  }
  return largest;
}

void narrow_weights(Graph& graph, PassContext& context) {
  if (!context.wants_halves()) return;
  for (Node& node : graph.nodes) {
    if (!has_weights(node.code)) continue;
    const auto narrow_input = [&](size_t i, const char* what) {
      if (i >= node.inputs.size() || !graph.is_constant(node.inputs[i])) return;
      if (graph.dtype(node.inputs[i]) != DType::kFloat32) return;
      node.inputs[i] = narrow(graph, node, node.inputs[i], what);
    };
    narrow_input(1, "weights");
    narrow_input(2, "biases");
  }
}

}  // namespace bantam::compiler
