// What is outside bantam's set, contradicts itself or is hostile: one line that names node and cause.
#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "one_node.h"
#include "ops/op_def.h"

namespace bantam::tests {
namespace {

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

using std::move;

constexpr int64_t kHuge = INT64_MAX;

OneNode conv() { return move(OneNode("Conv").input({1, 3, 8, 8}).input({4, 3, 3, 3})); }

TEST_CASE("convolutions that are refused", "[refusal]") {
  check(Refused{"supported: [N,C,L] and [N,C,H,W]",
                move(OneNode("Conv").input({1, 1, 4, 4, 4}).input({1, 1, 3, 3, 3}))},
        Refused{"attribute invented is not supported", move(conv().attr("invented", 1))},
        Refused{"auto_pad 'SAME'", move(conv().attr("auto_pad", "SAME"))},
        Refused{"pads has 3 entries", move(conv().attrs("pads", {1, 1, 1}))},
        Refused{"pads is -1", move(conv().attrs("pads", {-1, 0, 0, 0}))},
        Refused{"strides is 0", move(conv().attrs("strides", {0, 1}))},
        Refused{"strides is 9223372036854775807", move(conv().attrs("strides", {kHuge, 1}))},
        Refused{"the window's extent", move(conv().attrs("dilations", {1 << 24, 1 << 24}))},
        Refused{"attribute strides is an int, it must be ints", move(conv().attr("strides", 2))},
        Refused{"group is 0", move(conv().attr("group", 0))},
        Refused{"3 input channels in 2 groups", move(conv().attr("group", 2))},
        Refused{"kernel_shape contradicts", move(conv().attrs("kernel_shape", {5, 5}))},
        Refused{"its window spans 17 pixels", move(conv().attrs("dilations", {8, 8}))},
        Refused{"input 2 is [3], it must be [4]", move(conv().input({3}))},
        Refused{"input 0 is int64",
                move(OneNode("Conv").input({1, 1, 4, 4}, DType::kInt64).input({1, 1, 3, 3}))},
        Refused{"1 inputs", move(OneNode("Conv").input({1, 1, 4, 4}))},
        Refused{"must be smaller than stride", move(OneNode("ConvTranspose")
                                                        .input({1, 1, 3, 3})
                                                        .input({1, 1, 3, 3})
                                                        .attrs("output_padding", {1, 1}))},
        Refused{"weights [1x1x3x3] for 2 input channels",
                move(OneNode("ConvTranspose").input({1, 2, 3, 3}).input({1, 1, 3, 3}))});
}

TEST_CASE("pools that are refused", "[refusal]") {
  const auto pool = [] { return move(OneNode("MaxPool").input({1, 1, 8, 8}).attrs("kernel_shape", {2, 2})); };
  check(Refused{"(Indices) is not supported", move(pool().outputs(2))},
        Refused{"kernel_shape has 0 entries", move(OneNode("MaxPool").input({1, 1, 8, 8}))},
        Refused{"must be smaller than the kernel's", move(pool().attrs("pads", {2, 0, 0, 0}))},
        Refused{"pads and auto_pad", move(pool().attrs("pads", {1, 0, 0, 0}).attr("auto_pad", "VALID"))});
}

TEST_CASE("contradicting shapes", "[refusal]") {
  check(
      Refused{"do not broadcast", move(OneNode("Add").input({2}).input({3}))},
      Refused{"the inner dimensions differ", move(OneNode("MatMul").input({2, 3}).input({2, 3}))},
      Refused{"an operand is a scalar", move(OneNode("MatMul").input({}).input({2, 3}))},
      Refused{"does not fit", move(OneNode("Concat").input({2, 3}).input({3, 3}).attr("axis", 1))},
      Refused{"C [3] does not broadcast", move(OneNode("Gemm").input({2, 3}).input({3, 4}).input({3}))},
      Refused{"cannot be divided", move(OneNode("Reshape").input({2, 3}).constant(ints({4, -1})))},
      Refused{"cannot become", move(OneNode("Reshape").input({2, 3}).constant(ints({4})))},
      Refused{"is not 1", move(OneNode("Squeeze").input({2, 3}).constant(ints({0})))},
      Refused{"slope", move(OneNode("PRelu").input({2}).input({3, 2}))},
      Refused{"it must be [2]",
              move(OneNode("BatchNormalization").input({1, 2}).input({2}).input({2}).input({3}).input({2}))});
}

TEST_CASE("hostile attributes and inputs", "[refusal]") {
  check(
      Refused{"axis 5", move(OneNode("Concat").input({2}).input({2}).attr("axis", 5))},
      Refused{"axis -9223372036854775808", move(OneNode("Softmax").input({2}).attr("axis", INT64_MIN))},
      Refused{"axes name one dimension twice",
              move(OneNode("ReduceMean").input({2, 3}).attrs("axes", {0, -2}))},
      Refused{"perm names dimension 0 twice", move(OneNode("Transpose").input({2, 3}).attrs("perm", {0, 0}))},
      Refused{"perm has 1 entries", move(OneNode("Transpose").input({2, 3}).attrs("perm", {0}))},
      Refused{"more than 2^31 elements",
              move(OneNode("Expand").input({1}).constant(ints({1 << 20, 1 << 20})))},
      Refused{"dimension 9223372036854775807", move(OneNode("Expand").input({1}).constant(ints({kHuge})))},
      Refused{"dimension -3", move(OneNode("Expand").input({1}).constant(ints({-3})))},
      Refused{"must be in 0..", move(OneNode("Tile").input({2}).constant(ints({kHuge})))},
      Refused{"bantam goes up to 8",
              move(OneNode("Unsqueeze").input({2}).constant(ints({0, 1, 2, 3, 4, 5, 6, 7})))},
      Refused{"two dimensions are -1", move(OneNode("Reshape").input({4}).constant(ints({-1, -1})))},
      Refused{"a step is 0", move(OneNode("Slice")
                                      .input({4})
                                      .constant(ints({0}))
                                      .constant(ints({4}))
                                      .constant(ints({0}))
                                      .constant(ints({0})))},
      Refused{"2 starts, 1 ends",
              move(OneNode("Slice").input({4, 4}).constant(ints({0, 0})).constant(ints({4})))},
      Refused{"index 4 of a dimension of 4", move(OneNode("Gather").input({4}).constant(ints({4})))},
      Refused{"a pad is", move(OneNode("Pad").input({4}).constant(ints({kHuge, 0})))},
      Refused{"take more than dimension", move(OneNode("Pad").input({4}).constant(ints({-3, -3})))},
      Refused{"out of range", move(OneNode("Pad").input({4}).constant(ints({4, 0})).attr("mode", "reflect"))},
      Refused{"a dimension resized to",
              move(OneNode("Resize").input({1, 1, 4, 4}).left_out().constant(floats({1, 1, 1e30f, 1})))},
      Refused{"is not positive",
              move(OneNode("Resize")
                       .input({1, 1, 4, 4})
                       .left_out()
                       .constant(floats({1, 1, std::numeric_limits<float>::quiet_NaN(), 1})))},
      Refused{"blocksize is 0", move(OneNode("DepthToSpace").input({1, 4, 2, 2}))},
      Refused{"part 1 of 9", move(OneNode("Split").input({4}).constant(ints({2, 9})).outputs(2))},
      Refused{"has no elements", move(OneNode("ReduceSum").constant(floats({})))},
      Refused{"a range of", move(OneNode("Range")
                                     .constant(Tensor::scalar<float>(0))
                                     .constant(Tensor::scalar<float>(1e30f))
                                     .constant(Tensor::scalar<float>(1)))});
}

TEST_CASE("outside the set", "[refusal]") {
  check(Refused{"mode 'cubic'; supported: nearest, linear", move(OneNode("Resize")
                                                                     .input({1, 1, 4, 4})
                                                                     .left_out()
                                                                     .constant(floats({1, 1, 2, 2}))
                                                                     .attr("mode", "cubic"))},
        Refused{"antialias=1", move(OneNode("Resize", 18)
                                        .input({1, 1, 4, 4})
                                        .left_out()
                                        .constant(floats({1, 1, 0.5f, 1}))
                                        .attr("antialias", 1))},
        Refused{"training mode", move(OneNode("BatchNormalization")
                                          .input({1, 2})
                                          .input({2})
                                          .input({2})
                                          .input({2})
                                          .input({2})
                                          .attr("training_mode", 1))},
        Refused{"computed at run time", move(OneNode("Reshape").input({4}).input({1}, DType::kInt64))},
        Refused{"a cast to STRING", move(OneNode("Cast").input({4}).attr("to", 8))},
        Refused{"float inputs need fmod=1", move(OneNode("Mod").input({4}).input({4}))},
        Refused{"supported: none, tanh", move(OneNode("Gelu", 20).input({4}).attr("approximate", "fast"))});
  CHECK(find_onnx_op("LSTM") == nullptr);
  CHECK(find_onnx_op("") == nullptr);
}

}  // namespace
}  // namespace bantam::tests
