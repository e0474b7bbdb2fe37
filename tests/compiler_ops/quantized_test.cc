// Operators of quantized models: what they become, and what is wrong with broken ones.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "one_node.h"
#include "ops/op_def.h"

namespace bantam::tests {
namespace {

using std::move;

Tensor number(float value) { return Tensor::scalar<float>(value); }
Tensor u8(uint8_t value) { return Tensor::scalar<uint8_t>(value); }
Tensor s8(int8_t value) { return Tensor::scalar<int8_t>(value); }
template <typename T>
Tensor of(Shape shape, std::vector<T> values) {
  return Tensor::of<T>(std::move(shape), values);
}

OneNode quantize(Tensor scale, Tensor zero_point) {
  return move(OneNode("QuantizeLinear").input({2, 3}).constant(move(scale)).constant(move(zero_point)));
}

const Quantization& grid(const Imported& imported) {
  for (const Node& node : imported.graph.nodes) {
    const auto& q = imported.graph.value(node.outputs[0]).quantization;
    if (q) return *q;
  }
  throw std::runtime_error("no quantized tensor");
}

TEST_CASE("uint8 becomes int8 by moving the zero point", "[quantized]") {
  const Imported y = quantize(number(0.25f), u8(3)).import();
  CHECK(y.ops() == "Quantize Dequantize");
  CHECK(grid(y) == Quantization{{0.25f}, -125});
  CHECK(y.graph.value(y.outputs[0]).stored == Stored{DType::kUInt8, 0.25f, 3});
  CHECK(grid(quantize(number(0.25f), s8(3)).import()) == Quantization{{0.25f}, 3});
  OneNode bare("QuantizeLinear");
  bare.input({4}).constant(number(2.0f));
  CHECK(grid(bare.import()) == Quantization{{2.0f}, -128});
  OneNode stated("QuantizeLinear", 21);
  stated.input({4}).constant(number(2.0f)).attr("output_dtype", 3);
  CHECK(grid(stated.import()) == Quantization{{2.0f}, 0});
}

TEST_CASE("inputs of integers become int8 tensors", "[quantized]") {
  OneNode unsigned_input("DequantizeLinear");
  unsigned_input.input({2, 3}, DType::kUInt8).constant(number(0.5f)).constant(u8(10));
  const Imported y = unsigned_input.import();
  CHECK(y.ops() == "Reshape NormalizeImage Reshape Dequantize");
  CHECK(grid(y) == Quantization{{0.5f}, -118});
  CHECK(y.type() == "float32[2x3]");
  OneNode signed_input("DequantizeLinear");
  signed_input.input({2, 3}, DType::kInt8).constant(number(0.5f)).constant(s8(10));
  CHECK(signed_input.import().ops() == "Copy Dequantize");
}

TEST_CASE("constants keep their scales", "[quantized]") {
  OneNode weights("DequantizeLinear");
  weights.constant(of<uint8_t>({2, 3}, {128, 0, 255, 1, 2, 3}))
      .constant(floats({0.5f, 0.25f, 2.0f}))
      .constant(of<uint8_t>({3}, {128, 128, 0}));
  const Imported y = weights.import();
  const Tensor& tensor = y.graph.constant(y.outputs[0]);
  CHECK(tensor.to_float() == std::vector<float>{0.0f, -32.0f, 510.0f, -63.5f, -31.5f, 6.0f});
  REQUIRE(tensor.steps != nullptr);
  CHECK(tensor.steps->axis == 1);
  CHECK(tensor.steps->sizes == std::vector<float>{0.5f, 0.25f, 2.0f});
  const Tensor turned = permuted(tensor, {1, 0});
  CHECK(turned.steps->axis == 0);
  CHECK(reshaped(turned, {3, 2, 1, 1}).steps->axis == 0);
  CHECK(reshaped(tensor, {2, 1, 3}).steps->axis == 2);
  CHECK(reshaped(tensor, {6}).steps == nullptr);

  OneNode rounded("QuantizeLinear");
  rounded.constant(floats({-1.0f, 0.5f, 1.5f, 2.5f, 300.0f, NAN})).constant(number(1.0f)).constant(u8(2));
  const Imported q = rounded.import();
  const std::span<const uint8_t> integers = q.graph.constant(q.outputs[0]).as<uint8_t>();
  CHECK(std::vector<int>(integers.begin(), integers.end()) == std::vector<int>{1, 2, 4, 4, 255, 2});
}

TEST_CASE("scales along an axis and scales at run time become arithmetic", "[quantized]") {
  const Imported axis = quantize(floats({1, 2, 3}), of<uint8_t>({3}, {0, 1, 2})).import();
  CHECK(axis.ops() == "Binary Unary Binary Unary");
  CHECK(axis.graph.value(axis.outputs[0]).stored == Stored{DType::kUInt8, 1, 0});
  OneNode late("DequantizeLinear");
  late.input({2, 3}, DType::kUInt8).input({}).input({}, DType::kUInt8);
  CHECK(late.import().type() == "float32[2x3]");
  OneNode sums("DequantizeLinear");
  sums.input({2, 3}, DType::kInt32).constant(number(0.5f));
  CHECK(sums.import().ops() == "Cast Binary");
}

OneNode qlinear_conv() {
  return move(OneNode("QLinearConv")
                  .input({1, 1, 4, 4}, DType::kUInt8)
                  .constant(number(0.5f))
                  .constant(u8(1))
                  .constant(of<int8_t>({2, 1, 1, 1}, {3, -4}))
                  .constant(floats({0.25f, 2.0f}))
                  .constant(of<int8_t>({2}, {0, 0}))
                  .constant(number(1.5f))
                  .constant(u8(7))
                  .constant(of<int32_t>({2}, {8, -8})));
}

TEST_CASE("operators on integers become real ones between scales", "[quantized]") {
  const Imported conv = qlinear_conv().import();
  CHECK(conv.ops() == "Reshape NormalizeImage Reshape Dequantize Conv2d Quantize Dequantize");
  CHECK(conv.type() == "float32[1x2x4x4]");
  for (const Node& node : conv.graph.nodes) {
    if (node.code != OpCode::kConv2d) continue;
    CHECK(conv.graph.constant(node.inputs[1]).to_float() == std::vector<float>{0.75f, -8.0f});
    CHECK(conv.graph.constant(node.inputs[2]).to_float() == std::vector<float>{1.0f, -8.0f});
  }
  OneNode add("QLinearAdd");
  add.domain("com.microsoft");
  for (int i = 0; i < 2; ++i) add.input({2, 3}, DType::kInt8).constant(number(0.5f)).constant(s8(1));
  add.constant(number(1.0f)).constant(s8(0));
  CHECK(add.import().ops() == "Copy Dequantize Copy Dequantize Binary Quantize Dequantize");
  OneNode integer("MatMulInteger");
  integer.input({2, 3}, DType::kUInt8).constant(of<int8_t>({3, 1}, {1, 2, 3})).constant(u8(9));
  CHECK(integer.import().type() == "int32[2x1]");
  OneNode dynamic("DynamicQuantizeLinear");
  dynamic.input({2, 3}).outputs(3);
  const Imported range = dynamic.import();
  CHECK(range.type(1) == "float32[scalar]");
  CHECK(range.graph.value(range.outputs[2]).stored == Stored{DType::kUInt8, 1, 0});
}

TEST_CASE("integers that are padded and resized", "[quantized]") {
  const Stored how{DType::kUInt8, 0.5f, 10};
  const auto value = [&](OneNode node) {
    const Imported pad = node.import();
    return pad.graph.nodes.at(0).attrs<plan::PadT>().value;
  };
  const auto pad = [&] {
    return move(OneNode("Pad").input({1, 2}).stored(how).constant(ints({0, 0, 0, 1})));
  };
  CHECK(value(pad()) == -5.0f);
  CHECK(value(move(pad().constant(u8(14)))) == 2.0f);
  CHECK(move(pad().constant(number(14))).refusal().find("constant_value is float32") != std::string::npos);
  const auto resize = [&](const char* mode) {
    OneNode node("Resize");
    node.input({1, 1, 4, 4}).stored(how).left_out().constant(floats({1, 1, 2, 2})).attr("mode", mode);
    return node.import();
  };
  CHECK(resize("nearest").ops().find("Quantize") == std::string::npos);
  const Imported linear = resize("linear");
  CHECK(linear.graph.value(linear.outputs[0]).stored == how);
  CHECK(grid(linear) == Quantization{{0.5f}, -118});
}

struct Refused {
  const char* part;  // of the message
  OneNode node;
};

template <typename... Rows>
void check(Rows&&... rows) {
  std::vector<Refused> list;
  (list.push_back(std::forward<Rows>(rows)), ...);
  for (const Refused& row : list) {
    const std::string message = row.node.refusal();
    INFO(row.part << " / " << message);
    CHECK(message.find(row.part) != std::string::npos);
    CHECK(message.find("node 'it': ") != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("broken scales are refused", "[quantized]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check(Refused{"y_scale is missing", move(OneNode("QuantizeLinear").input({2}))},
        Refused{"y_scale is missing", move(OneNode("QuantizeLinear").input({2}).left_out().constant(u8(0)))},
        Refused{"y_scale is -0.5; a scale must be a positive number", quantize(number(-0.5f), u8(0))},
        Refused{"y_scale is 0; a scale must", quantize(number(0), u8(0))},
        Refused{"y_scale is nan; a scale must", quantize(number(nan), u8(0))},
        Refused{"y_scale is inf; a scale must", quantize(number(INFINITY), u8(0))},
        Refused{"y_scale is 1e-30, beyond", quantize(number(1e-30f), u8(0))},
        Refused{"y_scale is [2]; it must be one number, or 3 for axis 1 of [2x3]",
                quantize(floats({1, 2}), u8(0))},
        Refused{"y_scale is int64[1]; it must be float32", quantize(ints({1}), u8(0))},
        Refused{"y_zero_point has 2 elements, y_scale has 3",
                quantize(floats({1, 2, 3}), of<uint8_t>({2}, {0, 0}))},
        Refused{"its zero point is int64; supported: uint8, int8", quantize(number(1), ints({0}))},
        Refused{"axis 5 of a tensor with 2", move(quantize(floats({1, 2, 3}), u8(0)).attr("axis", 5))},
        Refused{"block_size", move(quantize(number(1), u8(0)).attr("block_size", 16))},
        Refused{"output_dtype 5",
                move(OneNode("QuantizeLinear", 21).input({2}).constant(number(1)).attr("output_dtype", 5))},
        Refused{"y_scale is 0;", move(OneNode("QuantizeLinear").constant(floats({1})).constant(number(0)))});
}

TEST_CASE("broken quantized tensors are refused", "[quantized]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto dequantize = [](DType dtype) { return move(OneNode("DequantizeLinear").input({2, 3}, dtype)); };
  check(Refused{"x is float32[2x3]; it must hold integers",
                move(dequantize(DType::kFloat32).constant(number(1)))},
        Refused{"x_scale is missing", dequantize(DType::kUInt8)},
        Refused{"x_scale is -1;", move(dequantize(DType::kUInt8).constant(number(-1)))},
        Refused{"x_zero_point is int8, the integers are uint8",
                move(dequantize(DType::kUInt8).constant(number(1)).constant(s8(0)))},
        Refused{"x_scale is nan; a scale must", move(dequantize(DType::kInt8).constant(number(nan)))},
        Refused{"x_scale is 0; a scale must", move(dequantize(DType::kInt8).constant(floats({1, 0, 2})))},
        Refused{"x_zero_point is float32, the integers are int8",
                move(dequantize(DType::kInt8).constant(number(1)).constant(number(0)))},
        Refused{"x_zero_point has 3 elements, x_scale has 1",
                move(dequantize(DType::kInt8).constant(number(1)).constant(of<int8_t>({3}, {0, 0, 0})))},
        Refused{"b_zero_point and b are of different types", move(OneNode("MatMulInteger")
                                                                      .input({2, 2}, DType::kUInt8)
                                                                      .constant(of<int8_t>({2, 1}, {1, 2}))
                                                                      .constant(u8(0))
                                                                      .constant(u8(0)))},
        Refused{"b_zero_point is float32", move(OneNode("MatMulInteger")
                                                    .input({2, 2}, DType::kUInt8)
                                                    .constant(of<int8_t>({2, 1}, {1, 2}))
                                                    .constant(u8(0))
                                                    .constant(number(0)))},
        Refused{"x_scale is [4]; it must be one number, or 3 for axis 1",
                move(dequantize(DType::kInt8).constant(floats({1, 2, 3, 4})))},
        Refused{"its input is int64", move(OneNode("DynamicQuantizeLinear").input({2}, DType::kInt64))},
        Refused{"a is int32; supported: uint8, int8",
                move(OneNode("MatMulInteger").input({2, 2}, DType::kInt32).input({2, 2}, DType::kUInt8))},
        Refused{"w_zero_point and w are of different types", move(OneNode("ConvInteger")
                                                                      .input({1, 1, 4, 4}, DType::kUInt8)
                                                                      .constant(of<int8_t>({1, 1, 1, 1}, {1}))
                                                                      .left_out()
                                                                      .constant(u8(0)))},
        Refused{"x_zero_point is [2], which does not fit", move(OneNode("ConvInteger")
                                                                    .input({1, 1, 4, 4}, DType::kUInt8)
                                                                    .constant(of<int8_t>({1, 1, 1, 1}, {1}))
                                                                    .constant(of<uint8_t>({2}, {0, 0})))});
}

OneNode qlinear_conv(Tensor x_scale, Tensor w_scale, Tensor bias) {
  return move(OneNode("QLinearConv")
                  .input({1, 1, 4, 4}, DType::kUInt8)
                  .constant(move(x_scale))
                  .constant(u8(1))
                  .constant(of<int8_t>({2, 1, 1, 1}, {3, -4}))
                  .constant(move(w_scale))
                  .constant(s8(0))
                  .constant(number(1.5f))
                  .constant(u8(7))
                  .constant(move(bias)));
}

OneNode qlinear_mat_mul(Tensor a_scale, Tensor a_zero_point, Tensor y_zero_point) {
  return move(OneNode("QLinearMatMul")
                  .input({2, 2}, DType::kUInt8)
                  .constant(move(a_scale))
                  .constant(move(a_zero_point))
                  .constant(of<int8_t>({2, 1}, {3, -4}))
                  .constant(number(0.5f))
                  .constant(s8(0))
                  .constant(number(1.5f))
                  .constant(move(y_zero_point)));
}

OneNode missing_output_scale() {
  return move(OneNode("QLinearMatMul")
                  .input({2, 2}, DType::kUInt8)
                  .constant(number(1))
                  .constant(u8(0))
                  .constant(of<int8_t>({2, 1}, {3, -4}))
                  .constant(number(0.5f))
                  .constant(s8(0))
                  .left_out()
                  .constant(u8(0)));
}

TEST_CASE("broken operators on integers are refused", "[quantized]") {
  const Tensor bias = of<int32_t>({2}, {1, 2});
  OneNode concat("QLinearConcat");
  concat.domain("com.microsoft").constant(number(1)).constant(u8(0)).attr("axis", 0);
  for (int i = 0; i < 4; ++i) concat.constant(number(1));
  OneNode last("QLinearGlobalAveragePool");
  last.domain("com.microsoft").input({1, 1, 4, 4}, DType::kUInt8).attr("channels_last", 1);
  for (int i = 0; i < 2; ++i) last.constant(number(1)).constant(u8(0));
  check(
      Refused{"x_scale is [2]; it must be one number", qlinear_conv(floats({1, 2}), number(1), bias)},
      Refused{"w_scale is [3]; it must be one number, or 2 for axis 0",
              qlinear_conv(number(1), floats({1, 2, 3}), bias)},
      Refused{"w_scale is 0; a scale must", qlinear_conv(number(1), floats({1, 0}), bias)},
      Refused{"its bias is float32[2]; it must be int32", qlinear_conv(number(1), number(1), floats({1, 2}))},
      Refused{"6 inputs; it takes 2 and 3 for each tensor", move(concat)},
      Refused{"channels_last=1", move(last)},
      Refused{"x_scale is nan; a scale must", qlinear_conv(number(NAN), number(1), bias)},
      Refused{"x_scale is inf; a scale must", qlinear_conv(number(INFINITY), number(1), bias)},
      Refused{"w_scale is -2; a scale must", qlinear_conv(number(1), floats({1, -2}), bias)},
      Refused{"its bias has 3 elements for 2 scales",
              qlinear_conv(number(1), floats({1, 2}), of<int32_t>({3}, {1, 2, 3}))},
      Refused{"y_scale is missing", missing_output_scale()},
      Refused{"a_zero_point is int8, the integers are uint8", qlinear_mat_mul(number(1), s8(0), u8(0))},
      Refused{"its zero point is float32; supported", qlinear_mat_mul(number(1), u8(0), number(0))},
      Refused{"a_zero_point has 2 elements, a_scale has 1",
              qlinear_mat_mul(number(1), of<uint8_t>({2}, {0, 0}), u8(0))},
      Refused{"a_scale is -0; a scale must", qlinear_mat_mul(number(-0.0f), u8(0), u8(0))},
      Refused{"a_scale is [3]; it must be one number, or 2 for axis 0",
              qlinear_mat_mul(floats({1, 2, 3}), u8(0), u8(0))},
      Refused{"1 inputs, it takes 8", move(OneNode("QLinearMatMul").input({2, 2}, DType::kUInt8))});
  CHECK(find_onnx_op("QLinearAdd") == nullptr);
  CHECK(find_onnx_op("QLinearConv", "com.example") == nullptr);
}

}  // namespace
}  // namespace bantam::tests
