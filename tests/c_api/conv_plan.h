// Convolutions with constant weights: y = depthwise(conv(x)) over int8 [1, 8, 8, 16], by XNNPACK and by a
// kernel of bantam's own.
#pragma once

#include "support/plan_builder.h"

namespace bantam::test {

struct ConvPlan : PlanBuilder {
  ConvPlan() {
    using plan::DType;
    const int32_t x = input("x", DType::kInt8, {1, 8, 8, 16});
    const int32_t between = tensor("between", DType::kInt8, {1, 8, 8, 16});
    const int32_t y = tensor("y", DType::kInt8, {1, 8, 8, 16});
    for (const int32_t each : {x, between, y}) quantize(each, {0.1f}, 3);
    add("conv", x, between, 16);
    add("depthwise", between, y, 1);
    output(y);
  }

  int32_t first_weights = -1;

 private:
  void add(const std::string& name, int32_t from, int32_t to, int32_t depth) {
    std::vector<int8_t> values(static_cast<size_t>(16 * 9 * depth));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int8_t>(i * 37 % 127 - 63);
    const int32_t w = constant<int8_t>(name + ".w", plan::DType::kInt8, {16, 3, 3, depth}, values);
    if (first_weights < 0) first_weights = w;
    quantize(w, {0.01f});
    const int32_t b = constant<int32_t>(name + ".b", plan::DType::kInt32, {16}, std::vector<int32_t>(16, 5));
    plan::Conv2dT attributes;
    attributes.pad_top = attributes.pad_bottom = attributes.pad_left = attributes.pad_right = 1;
    attributes.groups = 16 / depth;
    op(plan::OpCode::kConv2d, {from, w, b}, to, std::move(attributes), name);
  }
};

}  // namespace bantam::test
