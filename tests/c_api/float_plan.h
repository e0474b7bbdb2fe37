// A chain of many of the kernels' float32 ops.
#pragma once

#include "support/plan_builder.h"

namespace bantam::test {

// float32: Conv2d, pools, FullyConnected, Softmax, Transpose, Concat, Resize.
struct FloatPlan : PlanBuilder {
  FloatPlan() {
    using plan::DType;
    using plan::OpCode;
    const int32_t x = input("x", DType::kFloat32, {1, 8, 8, 4});
    const int32_t w = constant<float>("w", DType::kFloat32, {6, 3, 3, 4}, std::vector<float>(216, 0.1f));
    const int32_t conv = tensor("conv", DType::kFloat32, {1, 6, 6, 6});
    op(OpCode::kConv2d, {x, w}, conv, plan::Conv2dT(), "conv");
    plan::Pool2dT window;
    window.kernel_h = window.kernel_w = window.stride_h = window.stride_w = 2;
    const int32_t most = tensor("most", DType::kFloat32, {1, 3, 3, 6});
    const int32_t average = tensor("average", DType::kFloat32, {1, 3, 3, 6});
    op(OpCode::kMaxPool2d, {conv}, most, plan::Pool2dT(window), "most");
    op(OpCode::kAveragePool2d, {conv}, average, plan::Pool2dT(window), "average");
    plan::ConcatT along;
    along.axis = 3;
    const int32_t both = tensor("both", DType::kFloat32, {1, 3, 3, 12});
    op(OpCode::kConcat, {most, average}, both, std::move(along), "concat");
    const int32_t large = tensor("large", DType::kFloat32, {1, 6, 6, 12});
    plan::ResizeT twice;
    twice.mode = plan::ResizeMode::kLinear;
    twice.scale_h = twice.scale_w = 2;
    op(OpCode::kResize, {both}, large, std::move(twice), "resize");
    plan::TransposeT turn;
    turn.perm = {0, 3, 1, 2};
    const int32_t turned = tensor("turned", DType::kFloat32, {1, 12, 6, 6});
    op(OpCode::kTranspose, {large}, turned, std::move(turn), "transpose");
    const int32_t flat = view("flat", DType::kFloat32, {1, 432}, turned);
    const int32_t matrix =
        constant<float>("matrix", DType::kFloat32, {5, 432}, std::vector<float>(2160, 0.1f));
    const int32_t scores = tensor("scores", DType::kFloat32, {1, 5});
    op(OpCode::kFullyConnected, {flat, matrix}, scores, plan::FullyConnectedT(), "scores");
    const int32_t y = tensor("y", DType::kFloat32, {1, 5});
    op(OpCode::kSoftmax, {scores}, y, plan::SoftmaxT(), "softmax");
    output(y);
  }
};

}  // namespace bantam::test
