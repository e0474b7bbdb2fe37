// Integers that stand for real numbers: real = scale * (q - zero point).
#include <algorithm>
#include <cmath>

#include "reference/node.h"

namespace bantam::tests {
namespace {

// Scales or zero points: one, or one per index of an axis.
double along(const Array& parameter, const Index& index, int64_t axis) {
  if (parameter.values.size() == 1) return parameter.values[0];
  return parameter.values[static_cast<size_t>(index[static_cast<size_t>(axis)])];
}

Array dequantize(const Array& q, const Array& scale, const Array* zero, int64_t axis) {
  return make(q.shape, [&](const Index& index) {
    const double offset = zero == nullptr ? 0 : along(*zero, index, axis);
    return (q.at(index) - offset) * along(scale, index, axis);
  });
}

double rounded(double q, double zero, Kind kind) {
  const double low = kind == Kind::kInt8 ? -128 : 0;
  return std::clamp(std::nearbyint(q) + zero, low, low + 255);
}

// `stated`: the type of the integers where there is no zero point to tell it.
Array quantize(const Array& x, const Array& scale, const Array* zero, int64_t axis,
               Kind stated = Kind::kUInt8) {
  const Kind kind = zero == nullptr ? stated : zero->kind;
  const auto q = [&](const Index& index) {
    const double offset = zero == nullptr ? 0 : along(*zero, index, axis);
    return rounded(x.at(index) / along(scale, index, axis), offset, kind);
  };
  return make(x.shape, q, kind);
}

// Inputs `first`, its scale and its zero point.
Array real_input(const Node& node, size_t first, int64_t axis) {
  return dequantize(node.in(first), node.in(first + 1),
                    node.has_in(first + 2) ? &node.in(first + 2) : nullptr, axis);
}

// Input `i` less zero point `zero`.
Array less_zero(const Node& node, size_t i, size_t zero, int64_t axis) {
  const Array one{{}, {1}};
  return dequantize(node.in(i), one, node.has_in(zero) ? &node.in(zero) : nullptr, axis);
}

// What `type` makes of `inputs` with this node's attributes.
Array compute(const Node& node, const std::string& type, const std::vector<const Array*>& inputs) {
  onnx::NodeProto proto = node.proto;
  proto.set_op_type(type);
  return run_node({proto, node.opset, inputs}).at(0);
}

Array quantized_output(const Node& node, const Array& y, size_t scale) {
  return quantize(y, node.in(scale), node.has_in(scale + 1) ? &node.in(scale + 1) : nullptr, 0);
}

// A bias of integers has the scale of the products.
Array real_bias(const Node& node, size_t i, const Array& x_scale, const Array& w_scale) {
  return make(node.in(i).shape, [&](const Index& index) {
    return node.in(i).at(index) * x_scale.values[0] * along(w_scale, {index.back()}, 0);
  });
}

Array qlinear_conv(const Node& node) {
  const Array x = real_input(node, 0, 1), w = real_input(node, 3, 0);
  if (!node.has_in(8)) return quantized_output(node, compute(node, "Conv", {&x, &w}), 6);
  const Array bias = real_bias(node, 8, node.in(1), node.in(4));
  return quantized_output(node, compute(node, "Conv", {&x, &w, &bias}), 6);
}

Array qlinear_mat_mul(const Node& node) {
  const Array a = real_input(node, 0, node.in(0).rank() - 2), b = real_input(node, 3, node.in(3).rank() - 1);
  return quantized_output(node, compute(node, "MatMul", {&a, &b}), 6);
}

Array qgemm(const Node& node) {
  const Array a = real_input(node, 0, 0), b = real_input(node, 3, node.i("transB", 0) != 0 ? 0 : 1);
  const Array bias = node.has_in(6) ? real_bias(node, 6, node.in(1), node.in(4)) : Array{{1}, {0}};
  const Array y = compute(node, "Gemm", {&a, &b, &bias});
  return node.has_in(7) ? quantized_output(node, y, 7) : y;
}

Array qlinear_binary(const Node& node, const std::string& type) {
  const Array a = real_input(node, 0, 0), b = real_input(node, 3, 0);
  return quantized_output(node, compute(node, type, {&a, &b}), 6);
}

Array qlinear_unary(const Node& node, const std::string& type) {
  const Array x = real_input(node, 0, 0);
  return quantized_output(node, compute(node, type, {&x}), 3);
}

Array qlinear_concat(const Node& node) {
  std::vector<Array> parts;
  for (size_t i = 2; i < node.inputs.size(); i += 3) parts.push_back(real_input(node, i, 0));
  std::vector<const Array*> inputs;
  inputs.reserve(parts.size());
  for (const Array& part : parts) inputs.push_back(&part);
  return quantized_output(node, compute(node, "Concat", inputs), 0);
}

Array integer_product(const Node& node, const std::string& type) {
  const bool conv = type == "Conv";
  const Array a = less_zero(node, 0, 2, conv ? 1 : node.in(0).rank() - 2);
  const Array b = less_zero(node, 1, 3, conv ? 0 : node.in(1).rank() - 1);
  Array y = compute(node, type, {&a, &b});
  y.kind = Kind::kInt;
  return y;
}

Outputs dynamic_quantize(const Node& node) {
  const std::vector<double>& values = node.in(0).values;
  const double low = std::min(*std::min_element(values.begin(), values.end()), 0.0);
  const double high = std::max(*std::max_element(values.begin(), values.end()), 0.0);
  const Array scale{{}, {high == low ? 1 : (high - low) / 255}};
  const Array zero{{}, {rounded(-low / scale.values[0], 0, Kind::kUInt8)}, Kind::kUInt8};
  return {quantize(node.in(0), scale, &zero, 0), scale, zero};
}

Outputs linear(const Node& node) {
  const Array& x = node.in(0);
  const Array* zero = node.has_in(2) ? &node.in(2) : nullptr;
  const int64_t axis = node.in(1).values.size() == 1 ? 0 : wrap(node.i("axis", 1), x.rank());
  if (node.proto.op_type() == "DequantizeLinear") return {dequantize(x, node.in(1), zero, axis)};
  const bool is_signed = node.i("output_dtype", onnx::TensorProto::UINT8) == onnx::TensorProto::INT8;
  return {quantize(x, node.in(1), zero, axis, is_signed ? Kind::kInt8 : Kind::kUInt8)};
}

}  // namespace

Outputs run_quantized(const Node& node) {
  const std::string& type = node.proto.op_type();
  if (type == "QuantizeLinear" || type == "DequantizeLinear") return linear(node);
  if (type == "DynamicQuantizeLinear") return dynamic_quantize(node);
  if (type == "ConvInteger" || type == "MatMulInteger") {
    return {integer_product(node, type.substr(0, type.find("Integer")))};
  }
  if (type == "QLinearConv") return {qlinear_conv(node)};
  if (type == "QLinearMatMul") return {qlinear_mat_mul(node)};
  if (type == "QGemm") return {qgemm(node)};
  if (type == "QLinearConcat") return {qlinear_concat(node)};
  if (type == "QLinearAdd" || type == "QLinearMul") return {qlinear_binary(node, type.substr(7))};
  if (type == "QLinearLeakyRelu") return {qlinear_unary(node, "LeakyRelu")};
  if (type.starts_with("QLinear")) return {qlinear_unary(node, type.substr(7))};
  return {};
}

}  // namespace bantam::tests
