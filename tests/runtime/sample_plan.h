// A small plan with a bit of everything: quantization, weights, views, work in place, two outputs, metadata.
//
//   image f32[1,4,4,2] -Quantize-> q -Conv2d(w, b)-> c int8[1,2,2,3] -Dequantize-> d -Unary, in place-> u
//   u, seen as flat f32[12] -Binary with k-> scores;  image -Reduce-> mean
#pragma once

#include "support/plan_builder.h"

namespace bantam::test {

struct SamplePlan : PlanBuilder {
  int32_t image, q, w, b, c, d, u, flat, k, scores, mean;
  enum Ops { kQuantize, kConv, kDequantize, kUnary, kBinary, kReduce };

  SamplePlan();
  plan::OpT& op_at(Ops index) { return *plan.ops[static_cast<size_t>(index)]; }
  plan::Conv2dT& conv() { return *op_at(kConv).attributes.AsConv2d(); }
};

}  // namespace bantam::test
