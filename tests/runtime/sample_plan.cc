#include "sample_plan.h"

namespace bantam::test {

using plan::DType;
using plan::OpCode;

SamplePlan::SamplePlan() {
  plan.name = "sample";
  image = input("image", DType::kFloat32, {1, 4, 4, 2});
  q = tensor("q", DType::kInt8, {1, 4, 4, 2});
  w = constant<int8_t>("w", DType::kInt8, {3, 3, 3, 2}, std::vector<int8_t>(54, 1));
  b = constant<int32_t>("b", DType::kInt32, {3}, {1, 2, 3});
  c = tensor("c", DType::kInt8, {1, 2, 2, 3});
  d = tensor("d", DType::kFloat32, {1, 2, 2, 3});
  u = view("u", DType::kFloat32, {1, 2, 2, 3}, d);
  flat = view("flat", DType::kFloat32, {12}, u);
  k = constant<float>("k", DType::kFloat32, {12}, std::vector<float>(12, 0.5f));
  scores = tensor("scores", DType::kFloat32, {12});
  mean = tensor("mean", DType::kFloat32, {1, 2});
  quantize(q, {0.5f}, 3);
  quantize(w, {0.1f, 0.2f, 0.3f});
  quantize(c, {0.25f}, -4);
  output(scores);
  output(mean);

  op(OpCode::kQuantize, {image}, q, "quantize");
  plan::Conv2dT attributes;
  attributes.clamp =
      std::make_unique<plan::Clamp>(-1.f, 1.f, static_cast<int8_t>(-128), static_cast<int8_t>(127));
  op(OpCode::kConv2d, {q, w, b}, c, std::move(attributes), "conv");
  op(OpCode::kDequantize, {c}, d, "dequantize");
  op(OpCode::kUnary, {d}, u, plan::UnaryT(), "unary");
  op(OpCode::kBinary, {flat, k}, scores, plan::BinaryT(), "binary");
  plan::ReduceT reduce;
  reduce.kind = plan::ReduceKind::kMean;
  reduce.axes = {1, 2};
  reduce.keep_dims = false;
  op(OpCode::kReduce, {image}, mean, std::move(reduce), "reduce");
  plan.ops[kConv]->macs = 12 * 18;

  plan.provenance = std::make_unique<plan::ProvenanceT>();
  plan.provenance->source_name = "sample.onnx";
  plan.provenance->source_hash = 99;
  plan.notes.push_back(std::make_unique<plan::NoteT>());
  plan.notes[0]->node = "conv";
  plan.notes[0]->text = "a note";
}

}  // namespace bantam::test
