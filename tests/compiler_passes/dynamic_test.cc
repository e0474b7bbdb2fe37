// Dynamically quantized layers, and narrow weights of float ones.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>

#include "graph_builder.h"
#include "passes/patterns/patterns.h"

namespace bantam::tests {
namespace {

using plan::BinaryKind;
using plan::UnaryKind;

struct Builder : GraphBuilder {
  Builder() : GraphBuilder(Layout::kNchw) {}

  ValueId unary(UnaryKind kind, ValueId x) {
    plan::UnaryT attributes;
    attributes.kind = kind;
    return add(OpCode::kUnary, {x}, attributes);
  }
  ValueId cast(ValueId x, DType dtype) {
    return add(OpCode::kCast, {x}, {}, TensorType{dtype, graph.shape(x)});
  }
  // What the importers make of DynamicQuantizeLinear, less the zero point.
  ValueId quantized(ValueId x, ValueId scale, ValueId zero) {
    const ValueId steps = unary(UnaryKind::kRound, binary(BinaryKind::kDiv, x, scale));
    return binary(BinaryKind::kSub, clamp(binary(BinaryKind::kAdd, steps, zero), 0, 255), zero);
  }
  ValueId weights(std::vector<float> values) {
    Tensor tensor = Tensor::of<float>({2, 3}, values);
    tensor.steps = std::make_shared<Steps>(Steps{{1.0f}, 0});
    return graph.add_constant("w", std::move(tensor));
  }
  ValueId numbers(std::vector<float> values) {
    return graph.add_constant("numbers", Tensor::of<float>({static_cast<int64_t>(values.size())}, values));
  }
};

// Add(Mul(Cast(MatMulInteger(quantized x, w)), Mul(scale, w_scale)), bias)
Builder model(std::vector<float> w, bool other_scale = false) {
  Builder b;
  const ValueId x = b.input({1, 3});
  const ValueId scale = b.input({1}), zero = b.input({1});
  const ValueId product =
      b.add(OpCode::kFullyConnected, {b.quantized(x, scale, zero), b.weights(std::move(w))},
            plan::FullyConnectedT());
  const ValueId sums = b.cast(b.cast(product, DType::kInt32), DType::kFloat32);
  const ValueId scales = b.binary(BinaryKind::kMul, other_scale ? zero : scale, b.numbers({0.5f, 0.25f}));
  b.output(b.binary(BinaryKind::kAdd, b.binary(BinaryKind::kMul, sums, scales), b.numbers({7, 8})));
  match_dynamic_quantization(b.graph);
  drop_dead_nodes(b.graph);
  check_graph(b.graph, "the pattern under test");
  return b;
}

TEST_CASE("a dynamically quantized product becomes one op") {
  const Builder b = model({1, -128, 3, 4, 127, -6});
  REQUIRE(b.graph.nodes.size() == 1);
  const Node& node = b.graph.nodes[0];
  CHECK(node.code == OpCode::kNarrowFullyConnected);
  REQUIRE(node.inputs.size() == 3);
  CHECK(node.attrs<plan::NarrowFullyConnectedT>().quantize_rows);
  CHECK(node.attrs<plan::NarrowFullyConnectedT>().bits == 8);
  CHECK(node.inputs[0] == b.graph.inputs[0]);
  CHECK(b.graph.constant(node.inputs[1]).as<int8_t>()[1] == -128);
  CHECK(b.graph.value(node.inputs[1]).quantization == Quantization{{0.5f, 0.25f}, 0});
  CHECK(b.graph.constant(node.inputs[2]).as<float>()[0] == 7);
  REQUIRE(b.graph.notes.size() == 1);
}

TEST_CASE("other scales and weights that no kernel takes stay arithmetic") {
  CHECK(model({1, 2, 3, 4, 5, 6}, true).graph.nodes.size() > 5);
  CHECK(model({1, 200, 3, 4, 5, 6}).graph.nodes.size() > 5);
  CHECK(model({1, -128, -128, 4, 5, 6}).graph.nodes.size() > 5);
}

// ConvInteger of a quantized x by weights 1 to 6 in [2, 3, 1, 1], times both scales.
Builder convolution(Shape scale_shape) {
  Builder b;
  const ValueId x = b.input({1, 3, 4, 4}), scale = b.input({}), zero = b.input({});
  const ValueId product =
      b.add(OpCode::kConv2d, {b.quantized(x, scale, zero), b.constant({2, 3, 1, 1})}, plan::Conv2dT());
  const ValueId sums = b.cast(b.cast(product, DType::kInt32), DType::kFloat32);
  const ValueId factor = b.binary(BinaryKind::kMul, scale, b.constant(std::move(scale_shape), 0.5f));
  b.output(b.binary(BinaryKind::kMul, sums, factor));
  match_dynamic_quantization(b.graph);
  drop_dead_nodes(b.graph);
  check_graph(b.graph, "the pattern under test");
  return b;
}

TEST_CASE("a dynamically quantized convolution becomes one of floats") {
  for (const Shape& shape : {Shape{}, Shape{2, 1, 1}, Shape{1, 2, 1, 1}}) {
    const Builder b = convolution(shape);
    REQUIRE(b.graph.nodes.size() == 1);
    const Node& node = b.graph.nodes[0];
    CHECK(node.code == OpCode::kConv2d);
    CHECK(node.inputs[0] == b.graph.inputs[0]);
    const std::vector<float> weights = b.graph.constant(node.inputs[1]).to_float();
    const float second = shape.empty() ? 0.5f : 1.0f;
    CHECK(weights == std::vector<float>{0.5f, 1.0f, 1.5f, 4 * second, 5 * second, 6 * second});
  }
  CHECK(convolution({4}).graph.nodes.size() > 5);  // along the width, not the channels
}

Node narrowed(GraphBuilder& b, int bits, bool quantize_rows) {
  CompileOptions options;
  options.weight_bits = bits;
  options.quantize_rows = quantize_rows;
  const Evaluator evaluate;
  const PlanRunnerFactory runner;
  std::vector<std::string> warnings;
  PassContext context{options, evaluate, runner, warnings, {}, {}, {}};
  narrow_matrices(b.graph, context);
  check_graph(b.graph, "narrow_matrices");
  const bool nibbles = bits == 4 && b.graph.shape(b.graph.inputs[0])[1] % 2 == 0;
  CHECK(warnings.size() == (nibbles ? 1 : 0));
  return b.graph.nodes[0];
}

GraphBuilder layer(ValueId (*weights)(GraphBuilder&), int64_t columns) {
  GraphBuilder b;
  const ValueId x = b.input({1, columns});
  plan::FullyConnectedT attributes;
  attributes.clamp = std::make_unique<plan::Clamp>(0.0f, 6.0f, int8_t{-128}, int8_t{127});
  b.output(b.add(OpCode::kFullyConnected, {x, weights(b)}, std::move(attributes)));
  return b;
}

TEST_CASE("weights of float matrices become int8 on request") {
  const auto weights = [](GraphBuilder& b) { return b.constant({2, 3}, 0.5f); };
  GraphBuilder plain = layer(weights, 3);
  CHECK(narrowed(plain, 0, false).code == OpCode::kFullyConnected);
  for (const auto& [bits, rows] : {std::pair{8, false}, {8, true}, {0, true}, {4, false}}) {
    GraphBuilder b = layer(weights, 3);
    const Node node = narrowed(b, bits, rows);
    REQUIRE(node.code == OpCode::kNarrowFullyConnected);
    const auto& attributes = node.attrs<plan::NarrowFullyConnectedT>();
    CHECK(attributes.bits == 8);
    CHECK(attributes.quantize_rows == rows);
    REQUIRE(attributes.clamp != nullptr);
    CHECK(attributes.clamp->max() == 6);
    CHECK(b.graph.value(node.inputs[1]).quantization == Quantization{{1.5f / 127, 3.0f / 127}, 0});
    CHECK(b.graph.constant(node.inputs[1]).as<int8_t>()[2] == 127);
    CHECK(b.graph.notes.size() == (bits == 4 ? 1 : 0));  // three columns do not fill bytes
  }
}

TEST_CASE("weights that are no numbers stay as they are") {
  GraphBuilder b = layer([](GraphBuilder& builder) { return builder.constant({1, 2}, NAN); }, 2);
  CHECK(narrowed(b, 8, true).code == OpCode::kFullyConnected);
}

TEST_CASE("weights of 4 bits are the nearest by least squares") {
  GraphBuilder b = layer(
      [](GraphBuilder& builder) {
        return builder.graph.add_constant(
            "w",
            Tensor::of<float>({3, 4}, std::vector<float>{-8, 7, 0, 3, 0.1f, 0.11f, -0.09f, 1, 0, 0, 0, 0}));
      },
      4);
  const Node node = narrowed(b, 4, false);
  CHECK(node.attrs<plan::NarrowFullyConnectedT>().bits == 4);
  const Tensor& stored = b.graph.constant(node.inputs[1]);
  CHECK(stored.type.shape == Shape{3, 2});
  const std::vector<float>& scales = b.graph.value(node.inputs[1]).quantization->scales;
  const auto weight = [&](size_t row, size_t column) {
    const auto byte = std::to_integer<int>(stored.bytes[row * 2 + column / 2]);
    return scales[row] * static_cast<float>((column % 2 == 0 ? byte & 15 : byte >> 4) - 8);
  };
  CHECK(scales[0] == 1);  // the grid itself
  CHECK(weight(0, 0) == -8);
  CHECK(weight(0, 1) == 7);
  CHECK(weight(0, 3) == 3);
  // The largest over 7, as it is usually done, is off by 0.043, 0.033, 0.053 and 0.
  double error = 0;
  const double row[] = {0.1, 0.11, -0.09, 1};
  for (size_t k = 0; k < 4; ++k) error += std::pow(weight(1, k) - row[k], 2);
  CHECK(error < 0.043 * 0.043 + 0.033 * 0.033 + 0.053 * 0.053);
  CHECK(weight(2, 3) == 0);
}

}  // namespace
}  // namespace bantam::tests
