// y = |x| + {10, 20, 30} over float32 [2, 3].
#pragma once

#include "support/plan_builder.h"

namespace bantam::test {

struct ChainPlan : PlanBuilder {
  ChainPlan() {
    using plan::DType;
    plan.name = "chain";
    const int32_t x = input("x", DType::kFloat32, {2, 3});
    const int32_t positive = tensor("positive", DType::kFloat32, {2, 3});
    const int32_t terms = constant<float>("terms", DType::kFloat32, {3}, {10, 20, 30});
    const int32_t y = tensor("y", DType::kFloat32, {2, 3});
    plan::UnaryT abs;
    abs.kind = plan::UnaryKind::kAbs;
    op(plan::OpCode::kUnary, {x}, positive, abs, "abs");
    op(plan::OpCode::kBinary, {positive, terms}, y, plan::BinaryT(), "add");
    output(y);
    plan.provenance = std::make_unique<plan::ProvenanceT>();
    plan.provenance->source_name = "chain.onnx";
    plan.notes.push_back(std::make_unique<plan::NoteT>());
    plan.notes[0]->text = "a note";
  }
};

}  // namespace bantam::test
