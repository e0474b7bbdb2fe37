// Operators on integers with scales: dequantize, compute, quantize. The inputs' scales and zero points stand
// right behind them.
#include <fmt/format.h>

#include <cmath>

#include "ops/importers.h"
#include "ops/quantized/scheme.h"

namespace bantam::compiler {
namespace {

// The int32 bias of a product, whose scale is that of the data times that of the weights.
ValueId product_bias(NodeImporter& n, int i, const Scheme& x, const Scheme& w) {
  if (!n.has_input(i)) return kNoValue;
  const Tensor& bias = n.constant(i, "its bias");
  if (bias.type.dtype != DType::kInt32) {
    n.fail(fmt::format("its bias is {}; it must be int32", to_string(bias.type)));
  }
  if (!x.one_for_all() || !w.constant()) n.fail("the scales of an operator with a bias must be constant");
  const size_t channels = static_cast<size_t>(bias.elements());
  if (w.scales.size() != 1 && w.scales.size() != channels) {
    n.fail(fmt::format("its bias has {} elements for {} scales", channels, w.scales.size()));
  }
  Tensor real(TensorType{DType::kFloat32, bias.type.shape});
  for (size_t c = 0; c < channels; ++c) {
    const float scale = x.scales[0] * w.scales[w.scales.size() == 1 ? 0 : c];
    real.as<float>()[c] = static_cast<float>(bias.as<int32_t>()[c]) * scale;
  }
  return n.constant_value(std::move(real));
}

Scheme scheme_of_input(const NodeImporter& n, int i, const std::string& what, int axis) {
  const ValueId id = n.input(i);
  return read_scheme(n, what, i + 1, i + 2, stored_dtype(n, id, what), n.shape_of(id), axis);
}

void refuse_channels_last(NodeImporter& n) {
  if (n.attr_int("channels_last", 0) != 0) n.fail("channels_last=1 is not supported");
}

}  // namespace

// ONNX QLinearConv 10.
void import_qlinear_conv(NodeImporter& n) {
  expect_input_count(n, 8, 9);
  const Scheme x = scheme_of_input(n, 0, "x", -1);
  const Scheme w = scheme_of_input(n, 3, "w", n.rank_of(n.input(3)) > 0 ? 0 : -1);
  const ValueId bias = product_bias(n, 8, x, w);
  quantized_output(n, convolution(n, dequantized(n, n.input(0), x), dequantized(n, n.input(3), w), bias), 6);
}

// ONNX QLinearMatMul 10, 21.
void import_qlinear_mat_mul(NodeImporter& n) {
  expect_input_count(n, 8, 8);
  const ValueId a = dequantized_input(n, 0, "a", n.rank_of(n.input(0)) - 2);
  const ValueId b = dequantized_input(n, 3, "b", n.rank_of(n.input(3)) - 1);
  quantized_output(n, matrix_product(n, a, b), 6);
}

// com.microsoft QGemm 1: without y_scale the result is float32.
void import_qgemm(NodeImporter& n) {
  expect_input_count(n, 6, 9);
  const int columns = n.attr_int("transB", 0) != 0 ? 0 : 1;
  const Scheme a = scheme_of_input(n, 0, "a", -1);
  const Scheme b = scheme_of_input(n, 3, "b", n.rank_of(n.input(3)) == 2 ? columns : -1);
  if (n.attr_float("alpha", 1.0f) != 1.0f && n.has_input(6)) {
    n.fail("alpha other than 1 with a bias is not supported");
  }
  const ValueId c = product_bias(n, 6, a, b);
  const ValueId y = gemm(n, dequantized(n, n.input(0), a), dequantized(n, n.input(3), b), c);
  if (n.has_input(7)) return quantized_output(n, y, 7);
  n.output(y);
}

// com.microsoft QLinearAdd 1, QLinearMul 1.
template <plan::BinaryKind kind>
void import_qlinear_binary(NodeImporter& n) {
  expect_input_count(n, 7, 8);
  quantized_output(n, n.binary(kind, dequantized_input(n, 0, "a"), dequantized_input(n, 3, "b")), 6);
}
template void import_qlinear_binary<plan::BinaryKind::kAdd>(NodeImporter& n);
template void import_qlinear_binary<plan::BinaryKind::kMul>(NodeImporter& n);

// com.microsoft QLinearAveragePool 1.
void import_qlinear_average_pool(NodeImporter& n) {
  expect_input_count(n, 4, 5);
  refuse_channels_last(n);
  quantized_output(n, average_pool(n, dequantized_input(n, 0, "x")), 3);
}

// com.microsoft QLinearGlobalAveragePool 1.
void import_qlinear_global_average_pool(NodeImporter& n) {
  expect_input_count(n, 4, 5);
  refuse_channels_last(n);
  quantized_output(n, global_average_pool(n, dequantized_input(n, 0, "x")), 3);
}

// com.microsoft QLinearConcat 1: the output's scale and zero point, then triples.
void import_qlinear_concat(NodeImporter& n) {
  expect_input_count(n, 5, INT32_MAX);
  if ((n.input_count() - 2) % 3 != 0) {
    n.fail(fmt::format("{} inputs; it takes 2 and 3 for each tensor", n.input_count()));
  }
  std::vector<ValueId> parts;
  for (int i = 2; i < n.input_count(); i += 3) parts.push_back(dequantized_input(n, i, "x"));
  quantized_output(n, concatenation(n, parts), 0);
}

// com.microsoft QLinearLeakyRelu 1.
void import_qlinear_leaky_relu(NodeImporter& n) {
  expect_input_count(n, 4, 5);
  const float alpha = n.attr_float("alpha", 0.01f);
  quantized_output(n, n.unary(plan::UnaryKind::kLeakyRelu, dequantized_input(n, 0, "x"), alpha), 3);
}

// com.microsoft QLinearSigmoid 1.
void import_qlinear_sigmoid(NodeImporter& n) {
  expect_input_count(n, 4, 5);
  quantized_output(n, n.unary(plan::UnaryKind::kSigmoid, dequantized_input(n, 0, "x")), 3);
}

// com.microsoft QLinearSoftmax 1: attribute opset says by which ONNX version the axis is meant.
void import_qlinear_softmax(NodeImporter& n) {
  expect_input_count(n, 4, 5);
  const int opset = checked_int(n, n.attr_int("opset", n.opset()), "opset", 1, INT32_MAX);
  quantized_output(n, softmax(n, dequantized_input(n, 0, "x"), opset, false), 3);
}

}  // namespace bantam::compiler
