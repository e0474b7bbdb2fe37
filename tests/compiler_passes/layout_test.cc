#include <catch2/catch_test_macros.hpp>

#include "graph_builder.h"
#include "passes/transposes.h"

namespace bantam::tests {
namespace {

const std::vector<int> kToNhwc = {0, 2, 3, 1};
const std::vector<int> kToNchw = {0, 3, 1, 2};

TEST_CASE("channels_last wraps a convolution and permutes its weights") {
  GraphBuilder b(Layout::kNchw);
  const ValueId x = b.input({1, 3, 8, 6});
  const ValueId w = b.constant({4, 3, 3, 3});
  b.output(b.add(OpCode::kConv2d, {x, w}, plan::Conv2dT()));
  b.run(channels_last);
  CHECK(b.count(OpCode::kTranspose) == 2);
  const Node& conv = b.only(OpCode::kConv2d);
  CHECK(b.graph.shape(conv.inputs[0]) == Shape{1, 8, 6, 3});
  CHECK(b.graph.shape(conv.inputs[1]) == Shape{4, 3, 3, 3});
  // O=1, KH=2, KW=0, C=1 was O=1, C=1, KH=2, KW=0.
  CHECK(b.graph.constant(conv.inputs[1]).as<float>()[27 + 18 + 1] ==
        b.graph.constant(w).as<float>()[27 + 9 + 6]);
}

TEST_CASE("transposes between spatial ops cancel through elementwise ops") {
  GraphBuilder b;
  const ValueId x = b.input({1, 8, 8, 4});
  const ValueId left = b.transpose(b.conv(x, 4), kToNchw);
  const ValueId right = b.transpose(b.conv(x, 4), kToNchw);
  const ValueId sum = b.binary(plan::BinaryKind::kAdd, left, right);
  const ValueId scaled = b.binary(plan::BinaryKind::kMul, sum, b.constant({4, 1, 1}));
  const ValueId active = b.clamp(scaled, 0, 6);
  b.output(b.conv(b.transpose(active, kToNhwc), 2));
  b.run(sink_transposes);
  CHECK(b.count(OpCode::kTranspose) == 0);
  CHECK(b.graph.shape(b.only(OpCode::kUnary).outputs[0]) == Shape{1, 8, 8, 4});
}

TEST_CASE("a concat over channels becomes one over the last axis") {
  GraphBuilder b;
  const ValueId x = b.input({1, 8, 8, 4});
  plan::ConcatT concat;
  concat.axis = 1;
  const ValueId joined = b.add(
      OpCode::kConcat, {b.transpose(b.conv(x, 3), kToNchw), b.transpose(b.conv(x, 5), kToNchw)}, concat);
  b.output(b.conv(b.transpose(joined, kToNhwc), 2));
  b.run(sink_transposes);
  CHECK(b.count(OpCode::kTranspose) == 0);
  CHECK(b.only(OpCode::kConcat).attrs<plan::ConcatT>().axis == 3);
}

TEST_CASE("a channel shuffle keeps one small transposition") {
  GraphBuilder b;
  const ValueId x = b.input({1, 8, 8, 6});
  const ValueId nchw = b.transpose(b.conv(x, 6), kToNchw);
  const ValueId split = b.reshape(nchw, {1, 2, 3, 8, 8});
  const ValueId swapped = b.transpose(split, {0, 2, 1, 3, 4});
  const ValueId merged = b.reshape(swapped, {1, 6, 8, 8});
  b.output(b.conv(b.transpose(merged, kToNhwc), 2));
  b.run(sink_transposes);
  REQUIRE(b.count(OpCode::kTranspose) == 1);
  const auto& perm = b.only(OpCode::kTranspose).attrs<plan::TransposeT>().perm;
  CHECK(perm == std::vector<int32_t>{0, 1, 2, 4, 3});
}

TEST_CASE("a flatten before a fully connected layer permutes its weights instead of the data") {
  GraphBuilder b;
  const ValueId x = b.input({1, 2, 2, 3});
  const ValueId flat = b.reshape(b.transpose(b.conv(x, 3), kToNchw), {1, 12});
  const ValueId w = b.constant({5, 12});
  b.output(b.add(OpCode::kFullyConnected, {flat, w}, plan::FullyConnectedT()));
  b.run(sink_transposes);
  CHECK(b.count(OpCode::kTranspose) == 0);
  const Node& fc = b.only(OpCode::kFullyConnected);
  // Column h, w, c = 0, 1, 2 was c, h, w = 2, 0, 1.
  CHECK(b.graph.constant(fc.inputs[1]).as<float>()[1 * 3 + 2] == b.graph.constant(w).as<float>()[2 * 4 + 1]);
}

TEST_CASE("a global pooling squeezed to a matrix loses its transposition") {
  GraphBuilder b;
  const ValueId x = b.input({1, 7, 7, 16});
  plan::ReduceT mean;
  mean.kind = plan::ReduceKind::kMean;
  mean.axes = {2, 3};
  const ValueId pooled = b.add(OpCode::kReduce, {b.transpose(b.conv(x, 16), kToNchw)}, mean);
  b.output(b.add(OpCode::kFullyConnected, {b.reshape(pooled, {1, 16}), b.constant({5, 16})},
                 plan::FullyConnectedT()));
  b.run(sink_transposes);
  CHECK(b.count(OpCode::kTranspose) == 0);
  CHECK(b.only(OpCode::kReduce).attrs<plan::ReduceT>().axes == std::vector<int32_t>{1, 2});
}

TEST_CASE("convolutions write into their concat, and read slices where they lie") {
  GraphBuilder b;
  const ValueId x = b.input({1, 8, 8, 4});
  const ValueId left = b.conv(x, 3);
  const ValueId right = b.clamp(b.conv(x, 5), 0, 1);  // this kernel cannot stride
  plan::ConcatT concat;
  concat.axis = 3;
  const ValueId joined = b.add(OpCode::kConcat, {left, right}, concat);
  plan::SliceT slice;
  slice.starts = {0, 0, 0, 2};
  slice.steps = {1, 1, 1, 1};
  const ValueId part = b.add(OpCode::kSlice, {joined}, slice, TensorType{DType::kFloat32, {1, 8, 8, 6}});
  b.output(b.conv(part, 2));
  b.run(share_channels);
  CHECK(b.count(OpCode::kConcat) == 0);
  CHECK(b.count(OpCode::kSlice) == 0);
  CHECK(b.count(OpCode::kCopy) == 1);
  REQUIRE(b.graph.value(left).view);
  CHECK(b.graph.value(left).view->pixel_stride == 8);
  REQUIRE(b.graph.value(part).view);
  CHECK(b.graph.value(part).view->offset == 2);
}

TEST_CASE("softmax over another axis is moved to the last") {
  GraphBuilder b;
  plan::SoftmaxT softmax;
  softmax.axis = 1;
  b.output(b.add(OpCode::kSoftmax, {b.input({2, 5, 7})}, softmax));
  b.run(move_softmax_axis);
  CHECK(b.graph.shape(b.only(OpCode::kSoftmax).inputs[0]) == Shape{2, 7, 5});
}

TEST_CASE("reshape and transposition commute where axes are only split or merged") {
  // Split of the channels: no data moves before the transposition.
  const auto split = reshape_before_transpose({1, 4, 4, 6}, kToNchw, {1, 2, 3, 4, 4});
  REQUIRE(split);
  CHECK(is_identity(split->inner));
  CHECK(split->shape == Shape{1, 4, 4, 2, 3});
  CHECK(split->outer == std::vector<int>{0, 3, 4, 1, 2});
  // Flattening everything does not commute.
  CHECK_FALSE(reshape_before_transpose({1, 4, 4, 6}, kToNchw, {1, 96}));
}

}  // namespace
}  // namespace bantam::tests
