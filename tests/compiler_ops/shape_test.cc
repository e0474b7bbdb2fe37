// The output's type of every operator, by table.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "one_node.h"

namespace bantam::tests {
namespace {

struct Case {
  const char* what;
  OneNode node;
  std::string type;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.what);
    CHECK(c.node.refusal() == "");
    if (c.node.refusal().empty()) CHECK(c.node.import().type() == c.type);
  }
}

template <typename... Cases>
std::vector<Case> table(Cases&&... cases) {
  std::vector<Case> list;
  (list.push_back(std::forward<Cases>(cases)), ...);
  return list;
}

using std::move;

OneNode conv(Shape x, Shape w) { return move(OneNode("Conv").input(move(x)).input(move(w))); }
OneNode pool(const char* type, Shape x, std::vector<int64_t> kernel) {
  return move(OneNode(type, 19).input(move(x)).attrs("kernel_shape", move(kernel)));
}
OneNode upsampled(Shape x, std::vector<int64_t> w) {
  return move(OneNode("ConvTranspose").input(move(x)).input(move(w)));
}

TEST_CASE("convolutions", "[shape]") {
  check(table(
      Case{"3x3", conv({1, 3, 8, 9}, {4, 3, 3, 3}), "float32[1x4x6x7]"},
      Case{"strides, pads",
           move(conv({1, 3, 8, 9}, {4, 3, 3, 3}).attrs("strides", {2, 2}).attrs("pads", {1, 1, 1, 1})),
           "float32[1x4x4x5]"},
      Case{"pads of each side", move(conv({1, 1, 4, 4}, {1, 1, 3, 3}).attrs("pads", {0, 1, 2, 3})),
           "float32[1x1x4x6]"},
      Case{"dilations", move(conv({1, 1, 9, 9}, {1, 1, 3, 3}).attrs("dilations", {2, 3})), "float32[1x1x5x3]"},
      Case{"depthwise", move(conv({1, 6, 5, 5}, {6, 1, 3, 3}).attr("group", 6)), "float32[1x6x3x3]"},
      Case{"one dimension", move(conv({2, 3, 10}, {5, 3, 4}).attrs("strides", {3})), "float32[2x5x3]"},
      Case{"same",
           move(conv({1, 1, 5, 6}, {1, 1, 3, 3}).attr("auto_pad", "SAME_UPPER").attrs("strides", {2, 2})),
           "float32[1x1x3x3]"},
      Case{"valid", move(conv({1, 1, 5, 6}, {1, 1, 3, 3}).attr("auto_pad", "VALID")), "float32[1x1x3x4]"}));
}

TEST_CASE("transposed convolutions", "[shape]") {
  check(table(
      Case{"plain", upsampled({1, 3, 4, 5}, {3, 2, 3, 3}), "float32[1x2x6x7]"},
      Case{"groups", move(upsampled({1, 4, 3, 3}, {4, 3, 2, 2}).attr("group", 2)), "float32[1x6x4x4]"},
      Case{"output padding",
           move(upsampled({1, 1, 3, 3}, {1, 1, 3, 3}).attrs("strides", {2, 2}).attrs("output_padding", {1, 0})),
           "float32[1x1x8x7]"},
      Case{"output shape",
           move(upsampled({1, 1, 3, 3}, {1, 2, 3, 3}).attrs("strides", {3, 2}).attrs("output_shape", {10, 8})),
           "float32[1x2x10x8]"},
      Case{"same",
           move(upsampled({1, 1, 3, 3}, {1, 2, 3, 3}).attrs("strides", {2, 2}).attr("auto_pad", "SAME_LOWER")),
           "float32[1x2x6x6]"},
      Case{"one dimension", upsampled({1, 1, 3}, {1, 2, 3}), "float32[1x2x5]"}));
}

TEST_CASE("pools", "[shape]") {
  check(table(
      Case{"max", pool("MaxPool", {1, 2, 7, 7}, {2, 2}), "float32[1x2x6x6]"},
      Case{"ceil", move(pool("MaxPool", {1, 2, 6, 6}, {3, 3}).attrs("strides", {2, 2}).attr("ceil_mode", 1)),
           "float32[1x2x3x3]"},
      Case{"a window past the padding is dropped",
           move(pool("MaxPool", {1, 1, 2, 2}, {1, 1}).attrs("strides", {2, 2}).attr("ceil_mode", 1)),
           "float32[1x1x1x1]"},
      Case{"average",
           move(pool("AveragePool", {1, 2, 7, 7}, {3, 3})
                    .attrs("pads", {1, 1, 1, 1})
                    .attr("count_include_pad", 1)),
           "float32[1x2x7x7]"},
      Case{"one dimension", pool("AveragePool", {1, 2, 7}, {3}), "float32[1x2x5]"},
      Case{"dilations", move(pool("MaxPool", {1, 1, 4, 4}, {2, 2}).attrs("dilations", {2, 2})),
           "float32[1x1x2x2]"},
      Case{"global", move(OneNode("GlobalAveragePool").input({2, 3, 4, 5})), "float32[2x3x1x1]"},
      Case{"global of 3 dimensions", move(OneNode("GlobalMaxPool").input({2, 3, 4, 5, 6})),
           "float32[2x3x1x1x1]"}));
}

OneNode product(Shape a, Shape b) { return move(OneNode("MatMul").input(move(a)).input(move(b))); }

TEST_CASE("matrix products", "[shape]") {
  check(table(
      Case{"matrices", product({2, 3}, {3, 4}), "float32[2x4]"},
      Case{"batches broadcast", product({5, 1, 2, 3}, {6, 3, 4}), "float32[5x6x2x4]"},
      Case{"row", product({3}, {3, 4}), "float32[4]"}, Case{"column", product({2, 3}, {3}), "float32[2]"},
      Case{"row and column", product({3}, {3}), "float32[scalar]"},
      Case{"row and batch", product({3}, {5, 3, 4}), "float32[5x4]"},
      Case{"constant weights",
           move(OneNode("MatMul").input({5, 2, 3}).constant(Tensor({DType::kFloat32, {3, 4}}))),
           "float32[5x2x4]"},
      Case{"gemm", move(OneNode("Gemm").input({3, 2}).input({4, 3}).attr("transA", 1).attr("transB", 1)),
           "float32[2x4]"}));
}

TEST_CASE("elementwise", "[shape]") {
  check(table(
      Case{"broadcast", move(OneNode("Add").input({2, 1, 4}).input({3, 1})), "float32[2x3x4]"},
      Case{"comparison", move(OneNode("Less").input({2, 1}).input({1, 3})), "bool[2x3]"},
      Case{"integers", move(OneNode("Div").input({2}, DType::kInt64).input({}, DType::kInt64)), "int64[2]"},
      Case{"several", move(OneNode("Max").input({2, 1}).input({3}).input({1})), "float32[2x3]"},
      Case{"where", move(OneNode("Where").input({2, 1}, DType::kBool).input({3}).input({})), "float32[2x3]"},
      Case{"slope", move(OneNode("PRelu").input({1, 4, 2, 2}).input({4, 1, 1})), "float32[1x4x2x2]"},
      Case{"integer base", move(OneNode("Pow").input({3}, DType::kInt64).input({3})), "int64[3]"},
      Case{"cast", move(OneNode("Cast").input({3}).attr("to", 7)), "int64[3]"},
      Case{"half precision is computed in single",
           move(OneNode("Cast").input({3}, DType::kInt64).attr("to", 10)), "float32[3]"},
      Case{"cast like", move(OneNode("CastLike").input({3}).input({1}, DType::kBool)), "bool[3]"}));
}

TEST_CASE("reductions", "[shape]") {
  check(table(
      Case{"axes", move(OneNode("ReduceMean").input({2, 3, 4}).attrs("axes", {-1, 0})), "float32[1x3x1]"},
      Case{"axes as input",
           move(OneNode("ReduceMax", 18).input({2, 3, 4}).constant(ints({1})).attr("keepdims", 0)),
           "float32[2x4]"},
      Case{"all", move(OneNode("ReduceSum").input({2, 3}).attr("keepdims", 0)), "float32[scalar]"},
      Case{"none",
           move(OneNode("ReduceSum").input({2, 3}).constant(ints({})).attr("noop_with_empty_axes", 1)),
           "float32[2x3]"},
      Case{"a scalar", move(OneNode("ReduceSumSquare").input({})), "float32[scalar]"},
      Case{"log sum exp",
           move(OneNode("ReduceLogSumExp").input({2, 3}).attrs("axes", {1}).attr("keepdims", 0)),
           "float32[2]"},
      Case{"arg max", move(OneNode("ArgMax").input({2, 3}).attr("axis", -1).attr("keepdims", 0)),
           "int64[2]"}));
}

TEST_CASE("movement", "[shape]") {
  check(table(
      Case{"concat", move(OneNode("Concat").input({2, 3}).input({2, 4}).attr("axis", -1)), "float32[2x7]"},
      Case{"transpose", move(OneNode("Transpose").input({2, 3, 4}).attrs("perm", {1, 2, 0})),
           "float32[3x4x2]"},
      Case{"reversed", move(OneNode("Transpose").input({2, 3, 4})), "float32[4x3x2]"},
      Case{"reshape", move(OneNode("Reshape").input({2, 3, 4}).constant(ints({0, -1}))), "float32[2x12]"},
      Case{"flatten", move(OneNode("Flatten").input({2, 3, 4}).attr("axis", 2)), "float32[6x4]"},
      Case{"flatten all", move(OneNode("Flatten").input({2, 3, 4}).attr("axis", 3)), "float32[24x1]"},
      Case{"squeeze", move(OneNode("Squeeze").input({1, 3, 1}).constant(ints({-1}))), "float32[1x3]"},
      Case{"squeeze all", move(OneNode("Squeeze").input({1, 3, 1})), "float32[3]"},
      Case{"unsqueeze", move(OneNode("Unsqueeze", 11).input({3}).attrs("axes", {0, -1})), "float32[1x3x1]"},
      Case{"expand", move(OneNode("Expand").input({3, 1}).constant(ints({2, 1, 4}))), "float32[2x3x4]"},
      Case{"tile", move(OneNode("Tile").input({2, 3}).constant(ints({2, 1}))), "float32[4x3]"},
      Case{"gather", move(OneNode("Gather").input({5, 6}).input({2, 3}, DType::kInt64).attr("axis", 1)),
           "float32[5x2x3]"},
      Case{"gather one", move(OneNode("Gather").input({5, 6}).constant(Tensor::scalar<int64_t>(-1))),
           "float32[6]"},
      Case{"gather elements", move(OneNode("GatherElements").input({5, 6}).input({2, 6}, DType::kInt64)),
           "float32[2x6]"},
      Case{"depth to space", move(OneNode("DepthToSpace").input({1, 8, 2, 3}).attr("blocksize", 2)),
           "float32[1x2x4x6]"},
      Case{"space to depth", move(OneNode("SpaceToDepth").input({1, 2, 4, 6}).attr("blocksize", 2)),
           "float32[1x8x2x3]"},
      Case{"pad", move(OneNode("Pad").input({2, 3}).constant(ints({0, 1, 2, 3}))), "float32[4x7]"},
      Case{"pad of axes, cropping",
           move(OneNode("Pad", 18).input({2, 5}).constant(ints({-1, 2})).left_out().constant(ints({-1}))),
           "float32[2x6]"}));
}

struct SliceCase {
  int64_t start, end, step, count;
};

TEST_CASE("slices of 10 elements", "[shape]") {
  constexpr int64_t kMost = INT64_MAX;
  const SliceCase cases[] = {{0, 10, 1, 10},    {2, 5, 1, 3},        {-3, kMost, 1, 3},    {0, -1, 1, 9},
                             {8, 20, 1, 2},     {9, 0, -1, 9},       {-1, -kMost, -1, 10}, {20, 0, -3, 3},
                             {0, 10, kMost, 1}, {9, -20, -kMost, 1}, {INT64_MIN, 3, 2, 2}, {5, 5, 1, 0},
                             {12, 20, 1, 0},    {3, 7, -1, 0}};
  for (const SliceCase& c : cases) {
    INFO(c.start << ":" << c.end << ":" << c.step);
    const OneNode node = move(OneNode("Slice")
                                  .input({10})
                                  .constant(ints({c.start}))
                                  .constant(ints({c.end}))
                                  .constant(ints({0}))
                                  .constant(ints({c.step})));
    CHECK(node.import().type() == fmt::format("float32[{}]", c.count));
  }
}

TEST_CASE("splits", "[shape]") {
  const Imported uneven = OneNode("Split", 18).input({7, 2}).attr("num_outputs", 3).outputs(3).import();
  CHECK(uneven.type(0) == "float32[3x2]");
  CHECK(uneven.type(2) == "float32[1x2]");
  const Imported sized =
      OneNode("Split").input({2, 7}).constant(ints({4, 3})).attr("axis", -1).outputs(2).import();
  CHECK(sized.type(0) == "float32[2x4]");
  CHECK(sized.type(1) == "float32[2x3]");
}

OneNode resize(Shape x, std::vector<float> scales) {
  return move(OneNode("Resize").input(move(x)).left_out().constant(floats(move(scales))));
}

TEST_CASE("resize", "[shape]") {
  check(table(
      Case{"scales", resize({1, 2, 4, 5}, {1, 1, 0.6f, 2}), "float32[1x2x2x10]"},
      Case{"sizes",
           move(OneNode("Resize").input({1, 2, 4, 5}).left_out().left_out().constant(ints({1, 2, 7, 3}))),
           "float32[1x2x7x3]"},
      Case{"other axes", resize({1, 4, 5, 2}, {1, 2, 2, 1}), "float32[1x8x10x2]"},
      Case{"five dimensions", resize({1, 2, 3, 4, 5}, {1, 1, 2, 2, 2}), "float32[1x2x6x8x10]"},
      Case{"one dimension", resize({1, 2, 4}, {1, 1, 2}), "float32[1x2x8]"},
      Case{"kept aspect ratio",
           move(OneNode("Resize", 18)
                    .input({1, 1, 2, 4})
                    .left_out()
                    .left_out()
                    .constant(ints({7, 8}))
                    .attrs("axes", {2, 3})
                    .attr("keep_aspect_ratio_policy", "not_larger")),
           "float32[1x1x4x8]"},
      Case{"upsample", move(OneNode("Upsample", 9).input({1, 1, 2, 2}).constant(floats({1, 1, 2, 3}))),
           "float32[1x1x4x6]"},
      Case{"upsample 7", move(OneNode("Upsample", 7).input({1, 1, 2, 2}).attr_floats("scales", {1, 1, 2, 3})),
           "float32[1x1x4x6]"}));
}

TEST_CASE("what follows from types", "[shape]") {
  const Imported shape = OneNode("Shape").input({2, 3, 4}).attr("start", 1).import();
  CHECK(shape.graph.constant(shape.outputs[0]).to_int64() == std::vector<int64_t>{3, 4});
  const Imported size = OneNode("Size").input({2, 3, 4}).import();
  CHECK(size.graph.constant(size.outputs[0]).to_int64() == std::vector<int64_t>{24});
  const Imported range = OneNode("Range")
                             .constant(Tensor::scalar<int64_t>(7))
                             .constant(Tensor::scalar<int64_t>(0))
                             .constant(Tensor::scalar<int64_t>(-3))
                             .import();
  CHECK(range.graph.constant(range.outputs[0]).to_int64() == std::vector<int64_t>{7, 4, 1});
}

}  // namespace
}  // namespace bantam::tests
