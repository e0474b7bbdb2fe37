#include "quantize/int8_form.h"

#include <algorithm>
#include <cmath>

#include "bantam/compiler/error.h"

namespace bantam::compiler {

int8_t quantized(float x, const Quantization& q) {
  if (std::isnan(x)) return static_cast<int8_t>(q.zero_point);
  return static_cast<int8_t>(
      std::clamp(std::nearbyint(x / q.scales[0]) + static_cast<float>(q.zero_point), -128.0f, 127.0f));
}

float dequantized(int q, const Quantization& quantization) {
  return static_cast<float>(q - quantization.zero_point) * quantization.scales[0];
}

ValueId add_quantized_constant(Graph& graph, std::string name, const Tensor& tensor, const Quantization& q) {
  Tensor result(TensorType{DType::kInt8, tensor.type.shape});
  const std::span<const float> data = tensor.as<float>();
  const std::span<int8_t> values = result.as<int8_t>();
  for (size_t i = 0; i < data.size(); ++i) values[i] = quantized(data[i], q);
  const ValueId constant = graph.add_constant(std::move(name), std::move(result));
  graph.value(constant).quantization = q;
  return constant;
}

void set_int8_clamp(Node& node, const Quantization& q) {
  std::visit(
      [&](auto& attributes) {
        if constexpr (requires { attributes.clamp; }) {
          if (attributes.clamp == nullptr) return;
          const plan::Clamp real = *attributes.clamp;
          attributes.clamp = std::make_unique<plan::Clamp>(real.min(), real.max(), quantized(real.min(), q),
                                                           quantized(real.max(), q));
        }
      },
      node.attributes);
}

Tensor lookup_table(const Node& node, const Quantization& in, const Quantization& out,
                    const Evaluator& evaluate) {
  Tensor points(TensorType{DType::kFloat32, {256}});
  for (int i = 0; i < 256; ++i) points.as<float>()[static_cast<size_t>(i)] = dequantized(i - 128, in);
  Graph one;
  one.layout = Layout::kNhwc;
  const TensorType type = points.type;
  const ValueId x = one.add_constant("x", std::move(points));
  const ValueId y = one.add_value("y", type);
  const Node unary{OpCode::kUnary, node.name, {x}, {y}, node.attributes};
  const std::vector<Tensor> values = evaluate(one, unary);
  if (values.empty()) throw InternalError("int8 tables need a runtime to compute them");
  Tensor table(TensorType{DType::kInt8, {256}});
  for (size_t i = 0; i < 256; ++i) table.as<int8_t>()[i] = quantized(values[0].as<float>()[i], out);
  return table;
}

Tensor softmax_table(float scale) {
  Tensor table(TensorType{DType::kInt32, {256}});
  for (int d = 0; d < 256; ++d) {
    const double power = std::exp(-static_cast<double>(d) * static_cast<double>(scale));
    table.as<int32_t>()[static_cast<size_t>(d)] = static_cast<int32_t>(std::nearbyint(power * 0x1p23));
  }
  return table;
}

}  // namespace bantam::compiler
