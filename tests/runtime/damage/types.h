// Types of the tensors of plans with one op.
#pragma once

#include <utility>

#include "support/plan_builder.h"

namespace bantam::test {

using Shape = PlanBuilder::Shape;

struct Type {
  plan::DType dtype;
  Shape shape;
};

inline Type f32(Shape shape) { return {plan::DType::kFloat32, std::move(shape)}; }
inline Type i8(Shape shape) { return {plan::DType::kInt8, std::move(shape)}; }

}  // namespace bantam::test
