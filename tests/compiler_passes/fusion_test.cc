#include <catch2/catch_test_macros.hpp>

#include <cmath>

#include "graph_builder.h"

namespace bantam::tests {
namespace {

TEST_CASE("scale and shift per channel go into the convolution before them") {
  GraphBuilder b;
  const ValueId x = b.input({1, 4, 4, 2});
  const ValueId conv = b.conv(x, 3);
  const ValueId scaled = b.binary(plan::BinaryKind::kMul, conv, b.constant({3}, 2.0f));
  b.output(b.binary(plan::BinaryKind::kSub, scaled, b.constant({1, 1, 3})));
  b.run(fold_affine);
  REQUIRE(b.graph.nodes.size() == 1);
  const Node& node = b.graph.nodes[0];
  const auto weights = b.graph.constant(node.inputs[1]).as<float>();  // were 1..6, rows of 2
  CHECK(std::vector<float>(weights.begin(), weights.end()) == std::vector<float>{2, 4, 12, 16, 30, 36});
  const auto bias = b.graph.constant(node.inputs[2]).as<float>();
  CHECK(std::vector<float>(bias.begin(), bias.end()) == std::vector<float>{-1, -2, -3});
}

TEST_CASE("a convolution that is read elsewhere keeps its weights") {
  GraphBuilder b;
  const ValueId conv = b.conv(b.input({1, 4, 4, 2}), 3);
  b.output(conv);
  b.output(b.binary(plan::BinaryKind::kMul, conv, b.constant({1}, 2.0f)));
  b.run(fold_affine);
  CHECK(b.count(OpCode::kBinary) == 1);
}

TEST_CASE("scale and shift without a convolution become one depthwise convolution") {
  GraphBuilder b;
  const ValueId x = b.input({1, 4, 4, 3});
  const ValueId scaled = b.binary(plan::BinaryKind::kMul, x, b.constant({3}));
  b.output(b.binary(plan::BinaryKind::kAdd, scaled, b.constant({3})));
  b.run(fold_affine);
  REQUIRE(b.graph.nodes.size() == 1);
  CHECK(b.graph.nodes[0].attrs<plan::Conv2dT>().groups == 3);
}

TEST_CASE("clamps become part of the op before them, nested ones too") {
  GraphBuilder b;
  const ValueId conv = b.conv(b.input({1, 4, 4, 2}), 3);
  b.output(b.clamp(b.clamp(conv, 0, INFINITY), -1, 6));
  b.run(fuse_clamps);
  REQUIRE(b.graph.nodes.size() == 1);
  const auto& clamp = b.graph.nodes[0].attrs<plan::Conv2dT>().clamp;
  REQUIRE(clamp);
  CHECK(clamp->min() == 0.0f);
  CHECK(clamp->max() == 6.0f);
}

TEST_CASE("zero padding joins the convolution's, other padding does not") {
  for (const float value : {0.0f, 1.0f}) {
    GraphBuilder b;
    plan::PadT pad;
    pad.before = {0, 1, 2, 0};
    pad.after = {0, 3, 4, 0};
    pad.value = value;
    const ValueId padded = b.add(OpCode::kPad, {b.input({1, 4, 4, 2})}, pad);
    b.output(b.conv(padded, 3));
    b.run(fuse_padding);
    if (value == 0.0f) {
      REQUIRE(b.graph.nodes.size() == 1);
      const auto& conv = b.graph.nodes[0].attrs<plan::Conv2dT>();
      CHECK((conv.pad_top == 1 && conv.pad_left == 2 && conv.pad_bottom == 3 && conv.pad_right == 4));
    } else {
      CHECK(b.graph.nodes.size() == 2);
    }
  }
}

TEST_CASE("identities, equal nodes and dead nodes go") {
  GraphBuilder b;
  const ValueId x = b.input({2, 3});
  const ValueId same = b.reshape(x, {2, 3});
  const ValueId plus_zero = b.binary(plan::BinaryKind::kAdd, same, b.constant({1}, 0.0f));
  const ValueId one = b.clamp(plus_zero, 0, 6);
  const ValueId two = b.clamp(x, 0, 6);
  b.clamp(x, 0, 1);
  b.output(b.binary(plan::BinaryKind::kAdd, one, two));
  b.run(simplify);
  CHECK(b.graph.nodes.size() == 2);
}

TEST_CASE("activations written as several nodes are recognized") {
  using plan::BinaryKind;
  using plan::UnaryKind;
  const auto unary = [](GraphBuilder& b, UnaryKind kind, ValueId x) {
    plan::UnaryT attributes;
    attributes.kind = kind;
    return b.add(OpCode::kUnary, {x}, attributes);
  };
  const auto kind_of = [](GraphBuilder& b) {
    b.run(recognize_patterns);
    REQUIRE(b.graph.nodes.size() == 1);
    REQUIRE(b.graph.nodes[0].code == OpCode::kUnary);
    return b.graph.nodes[0].attrs<plan::UnaryT>().kind;
  };
  SECTION("SiLU") {
    GraphBuilder b;
    const ValueId x = b.input({2, 3});
    b.output(b.binary(BinaryKind::kMul, x, unary(b, UnaryKind::kSigmoid, x)));
    CHECK(kind_of(b) == UnaryKind::kSilu);
  }
  SECTION("HardSwish, divided last") {
    GraphBuilder b;
    const ValueId x = b.input({2, 3});
    const ValueId gate = b.clamp(b.binary(BinaryKind::kAdd, x, b.constant({1}, 3.0f)), 0, 6);
    b.output(b.binary(BinaryKind::kDiv, b.binary(BinaryKind::kMul, x, gate), b.constant({1}, 6.0f)));
    CHECK(kind_of(b) == UnaryKind::kHardSwish);
  }
  SECTION("HardSwish by hard sigmoid") {
    GraphBuilder b;
    const ValueId x = b.input({2, 3});
    const ValueId gate = b.clamp(b.binary(BinaryKind::kAdd, b.constant({1}, 3.0f), x), 0, 6);
    b.output(b.binary(BinaryKind::kMul, b.binary(BinaryKind::kDiv, gate, b.constant({1}, 6.0f)), x));
    CHECK(kind_of(b) == UnaryKind::kHardSwish);
  }
  SECTION("GELU as PyTorch writes it") {
    GraphBuilder b;
    const ValueId x = b.input({2, 3});
    const ValueId erf =
        unary(b, UnaryKind::kErf, b.binary(BinaryKind::kDiv, x, b.constant({1}, 1.41421354f)));
    const ValueId product = b.binary(BinaryKind::kMul, x, b.binary(BinaryKind::kAdd, erf, b.constant({1})));
    b.output(b.binary(BinaryKind::kMul, product, b.constant({1}, 0.5f)));
    CHECK(kind_of(b) == UnaryKind::kGelu);
  }
}

TEST_CASE("a LayerNorm written as nine nodes is recognized") {
  using plan::BinaryKind;
  GraphBuilder b;
  const ValueId x = b.input({2, 4, 8});
  plan::ReduceT mean;
  mean.kind = plan::ReduceKind::kMean;
  mean.axes = {2};
  const ValueId centre = b.binary(BinaryKind::kSub, x, b.add(OpCode::kReduce, {x}, mean));
  const ValueId squares = b.binary(BinaryKind::kPow, centre, b.constant({}, 2.0f));
  const ValueId variance = b.add(OpCode::kReduce, {squares}, mean);
  plan::UnaryT sqrt;
  sqrt.kind = plan::UnaryKind::kSqrt;
  const ValueId deviation =
      b.add(OpCode::kUnary, {b.binary(BinaryKind::kAdd, variance, b.constant({}, 1e-5f))}, sqrt);
  const ValueId normal = b.binary(BinaryKind::kDiv, centre, deviation);
  b.output(b.binary(BinaryKind::kAdd, b.binary(BinaryKind::kMul, normal, b.constant({8})), b.constant({8})));
  b.run(recognize_patterns);
  REQUIRE(b.graph.nodes.size() == 1);
  CHECK(b.graph.nodes[0].code == OpCode::kLayerNorm);
  CHECK(b.graph.nodes[0].inputs.size() == 3);
}

}  // namespace
}  // namespace bantam::tests
