// What operators become: defaults, opset differences and auto_pad end at import.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "one_node.h"

namespace bantam::tests {
namespace {

using plan::UnaryKind;

struct Pads {
  int top, left, bottom, right;
  bool operator==(const Pads&) const = default;
};

template <typename T>
Pads pads_of(const T& a) {
  return {a.pad_top, a.pad_left, a.pad_bottom, a.pad_right};
}

Pads conv_pads(OneNode& node) { return pads_of(node.import().only<plan::Conv2dT>()); }

TEST_CASE("auto_pad becomes pads", "[lowering]") {
  const auto conv = [](const char* auto_pad) {
    OneNode node("Conv");
    node.input({1, 1, 5, 6}).input({1, 1, 3, 4}).attrs("strides", {2, 2}).attr("auto_pad", auto_pad);
    return conv_pads(node);
  };
  CHECK(conv("SAME_UPPER") == Pads{1, 1, 1, 1});
  CHECK(conv("VALID") == Pads{0, 0, 0, 0});
  OneNode odd("Conv");
  odd.input({1, 1, 4, 4}).input({1, 1, 2, 2}).attr("auto_pad", "SAME_LOWER");
  CHECK(conv_pads(odd) == Pads{1, 1, 0, 0});
}

TEST_CASE("transposed convolution's output shape becomes pads", "[lowering]") {
  OneNode larger("ConvTranspose");
  larger.input({1, 1, 3, 3}).input({1, 2, 3, 3}).attrs("strides", {3, 2}).attrs("output_shape", {10, 8});
  const Imported imported = larger.import();
  const auto& attributes = imported.only<plan::Conv2dT>();
  CHECK(pads_of(attributes) == Pads{0, 0, 0, 0});
  CHECK(attributes.output_pad_h == 1);
  CHECK(attributes.output_pad_w == 1);

  const auto smaller = [](const char* auto_pad) {
    OneNode node("ConvTranspose");
    node.input({1, 1, 3, 3}).input({1, 1, 3, 3}).attrs("output_shape", {4, 4}).attr("auto_pad", auto_pad);
    return conv_pads(node);
  };
  CHECK(smaller("NOTSET") == Pads{1, 1, 0, 0});
  CHECK(smaller("SAME_UPPER") == Pads{0, 0, 1, 1});
}

TEST_CASE("transposed convolution's weights become output-major", "[lowering]") {
  OneNode node("ConvTranspose");
  const Imported imported = node.input({1, 4, 3, 3}).input({4, 3, 2, 2}).attr("group", 2).import();
  CHECK(imported.ops() == "Reshape Transpose Reshape ConvTranspose2d");
  CHECK(imported.graph.shape(imported.graph.nodes[3].inputs[1]) == Shape{6, 2, 2, 2});
}

TEST_CASE("one dimension is two with height 1", "[lowering]") {
  const Imported imported = OneNode("Conv").input({1, 3, 9}).input({4, 3, 3}).attrs("pads", {1, 2}).import();
  CHECK(imported.ops() == "Reshape Reshape Conv2d Reshape");
  CHECK(pads_of(imported.only<plan::Conv2dT>()) == Pads{0, 1, 0, 2});
}

TEST_CASE("clip becomes a clamp", "[lowering]") {
  const Imported attributes = OneNode("Clip", 6).input({2}).attr("min", 0.0f).attr("max", 6.0f).import();
  CHECK(attributes.only<plan::UnaryT>().kind == UnaryKind::kClamp);
  CHECK(attributes.only<plan::UnaryT>().beta == 6.0f);
  const Imported open = OneNode("Clip").input({2}).left_out().constant(Tensor::scalar<float>(6)).import();
  CHECK(std::isinf(open.only<plan::UnaryT>().alpha));
  CHECK(open.only<plan::UnaryT>().beta == 6.0f);
  CHECK(OneNode("Clip").input({2}).import().ops().empty());
  CHECK(OneNode("Clip").input({2}).input({}).import().ops() == "Binary");
  CHECK(OneNode("Relu").input({2}).import().only<plan::UnaryT>().alpha == 0.0f);
}

TEST_CASE("activations have ONNX's defaults", "[lowering]") {
  const auto attributes = [](const char* type) {
    return OneNode(type, 20).input({2}).import().only<plan::UnaryT>();
  };
  CHECK(attributes("LeakyRelu").alpha == 0.01f);
  CHECK(attributes("HardSigmoid").alpha == 0.2f);
  CHECK(attributes("HardSigmoid").beta == 0.5f);
  CHECK(attributes("Selu").alpha == 1.67326319217681884765625f);
  CHECK(attributes("Selu").beta == 1.05070102214813232421875f);
  CHECK(attributes("Elu").alpha == 1.0f);
  CHECK(attributes("Gelu").kind == UnaryKind::kGelu);
}

TEST_CASE("gemm becomes a fully connected layer when its weights are constant", "[lowering]") {
  const Tensor weights({DType::kFloat32, {4, 3}});
  const Imported layer = OneNode("Gemm")
                             .input({2, 3})
                             .constant(weights)
                             .constant(floats({1, 2, 3, 4}))
                             .attr("transB", 1)
                             .import();
  CHECK(layer.ops() == "FullyConnected");
  CHECK(layer.graph.nodes[0].inputs.size() == 3);
  CHECK(OneNode("Gemm").input({2, 3}).constant(weights).input({2, 4}).attr("transB", 1).import().ops() ==
        "FullyConnected Binary");
  CHECK(OneNode("Gemm").input({2, 3}).input({3, 4}).input({4}).attr("beta", 0.0f).import().ops() == "MatMul");
  const Imported scalar = OneNode("Gemm")
                              .input({2, 3})
                              .constant(weights)
                              .constant(Tensor::scalar<float>(5))
                              .attr("transB", 1)
                              .import();
  const Node& node = scalar.graph.nodes.at(0);
  CHECK(scalar.graph.constant(node.inputs[2]).to_float() == std::vector<float>(4, 5.0f));
}

TEST_CASE("batch normalization becomes a product and a sum", "[lowering]") {
  OneNode node("BatchNormalization");
  node.input({1, 2, 3, 3});
  for (int i = 0; i < 4; ++i) node.input({2});
  const Imported imported = node.import();
  CHECK(imported.graph.nodes.back().code == OpCode::kBinary);
  CHECK(imported.type() == "float32[1x2x3x3]");
}

TEST_CASE("softmax flattened what follows the axis until opset 12", "[lowering]") {
  CHECK(OneNode("Softmax", 11).input({2, 3, 4}).import().ops() == "Reshape Softmax Reshape");
  CHECK(OneNode("Softmax", 11).input({2, 3, 1, 1}).import().only<plan::SoftmaxT>().axis == 1);
  CHECK(OneNode("Softmax", 13).input({2, 3, 4}).import().only<plan::SoftmaxT>().axis == 2);
  CHECK(OneNode("LogSoftmax", 13).input({2, 3}).attr("axis", 0).import().only<plan::SoftmaxT>().log);
}

TEST_CASE("layer normalization", "[lowering]") {
  const Imported imported =
      OneNode("LayerNormalization").input({2, 3, 4}).input({3, 4}).attr("axis", 1).import();
  CHECK(imported.only<plan::LayerNormT>().axes == 2);
  const Imported all =
      OneNode("LayerNormalization").input({2, 3, 4}).input({4}).input({4}).outputs(3).import();
  CHECK(all.type(1) == "float32[2x3x1]");
  CHECK(all.type(2) == "float32[2x3x1]");
}

TEST_CASE("resize states its coordinates", "[lowering]") {
  const auto resize = [](const char* mode, const char* nearest) {
    OneNode node("Resize", 11);
    node.input({1, 1, 4, 4}).constant(floats({})).constant(floats({1, 1, 2, 2}));
    return node.attr("coordinate_transformation_mode", mode)
        .attr("nearest_mode", nearest)
        .import()
        .only<plan::ResizeT>();
  };
  CHECK(resize("asymmetric", "floor").coordinates == plan::CoordinateMode::kAsymmetric);
  CHECK(resize("asymmetric", "floor").nearest == plan::NearestMode::kFloor);
  CHECK(resize("half_pixel", "round_prefer_ceil").scale_h == 2.0f);
  CHECK(resize("tf_half_pixel_for_nn", "floor").nearest == plan::NearestMode::kRoundPreferCeil);
  CHECK(resize("tf_half_pixel_for_nn", "floor").coordinates == plan::CoordinateMode::kHalfPixel);
}

TEST_CASE("what does nothing leaves no node", "[lowering]") {
  CHECK(OneNode("Identity").input({2}).import().ops().empty());
  CHECK(OneNode("Dropout").input({2}).import().ops().empty());
  CHECK(OneNode("Dropout", 7).input({2}).attr("ratio", 0.3f).import().ops().empty());
  CHECK(OneNode("Reshape").input({2, 3}).constant(ints({2, -1})).import().ops().empty());
  CHECK(OneNode("Transpose").input({2, 3}).attrs("perm", {0, 1}).import().ops().empty());
  CHECK(OneNode("Cast").input({2}).attr("to", 1).import().ops().empty());
  CHECK(OneNode("Concat").input({2}).constant(floats({})).attr("axis", 0).import().ops().empty());
  CHECK(OneNode("Sum").input({2}).import().ops().empty());
}

TEST_CASE("nodes of constants are computed at once", "[lowering]") {
  int calls = 0;
  const Evaluator evaluate = [&calls](const Graph& graph, const Node& node) {
    ++calls;
    return std::vector<Tensor>{Tensor(graph.value(node.outputs[0]).type)};
  };
  const Imported sum = OneNode("Add").constant(ints({1, 2})).constant(ints({3})).import(evaluate);
  CHECK(calls == 1);
  CHECK(sum.graph.is_constant(sum.outputs[0]));
  CHECK(sum.ops().empty());
  // Spatial ops run as NHWC plans and are left for later; what grows beyond reason too.
  const Tensor image({DType::kFloat32, {1, 1, 4, 4}});
  CHECK(OneNode("MaxPool").constant(image).attrs("kernel_shape", {2, 2}).import(evaluate).ops() ==
        "MaxPool2d");
  CHECK(OneNode("Expand").constant(floats({1})).constant(ints({1 << 25})).import(evaluate).ops() == "Expand");
  CHECK(calls == 1);
}

}  // namespace
}  // namespace bantam::tests
