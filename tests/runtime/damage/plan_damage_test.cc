// A plan that contradicts itself is refused, and the message names the place.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "loading.h"
#include "sample_plan.h"

namespace bantam::test {
namespace {

using plan::DType;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

struct Damage {
  void (*apply)(SamplePlan& p);
  const char* problem;
};

void check_all(const std::vector<Damage>& damages) {
  for (const Damage& damage : damages) {
    SamplePlan p;
    damage.apply(p);
    INFO("expected " << damage.problem);
    CHECK(problem_of(p.file()) == damage.problem);
  }
}

TEST_CASE("the sample plan itself loads") { CHECK(problem_of(SamplePlan().file()) == ""); }

TEST_CASE("damaged tensors are refused") {
  check_all({
      {[](SamplePlan& p) { p[p.c].dtype = static_cast<DType>(7); }, "c: its dtype is unknown"},
      {[](SamplePlan& p) { p[p.c].storage = static_cast<plan::Storage>(2); }, "c: its storage is unknown"},
      {[](SamplePlan& p) { p[p.c].shape.assign(9, 1); }, "c: it has more than 8 dimensions"},
      {[](SamplePlan& p) { p[p.c].shape[1] = 0; }, "c: a dimension is not positive"},
      {[](SamplePlan& p) { p[p.c].shape[1] = -2; }, "c: a dimension is not positive"},
      {[](SamplePlan& p) { p[p.c].shape.assign(8, 1 << 30); }, "c: it is too large"},
      {[](SamplePlan& p) { p[p.c].shape[0] = 1 << 20; }, "c: it reaches past the end of the arena"},
      {[](SamplePlan& p) { p[p.c].pixel_stride = 2; }, "c: its pixel stride is too small"},
      {[](SamplePlan& p) { p[p.c].pixel_stride = 1000; }, "c: it reaches past the end of the arena"},
      {[](SamplePlan& p) { p[p.c].pixel_stride = -1; }, "c: its pixel stride is too small"},
      {[](SamplePlan& p) { p[p.c].offset += 4; }, "c: its offset is not aligned"},
      {[](SamplePlan& p) { p[p.c].offset = kHuge - 63; }, "c: it reaches past the end of the arena"},
      {[](SamplePlan& p) { p[p.w].offset = kHuge - 63; }, "w: it reaches past the end of the weights"},
      {[](SamplePlan& p) { p[p.k].offset += 64; }, "k: it reaches past the end of the weights"},
      {[](SamplePlan& p) { p[p.w].offset += 1; }, "w: its offset is not aligned"},
      {[](SamplePlan& p) { p[p.w].pixel_stride = 8; }, "w: a constant must be dense"},
      {[](SamplePlan& p) { p[p.w].base = p.q; }, "w: a constant cannot share memory"},
      {[](SamplePlan& p) { p[p.u].base = p.flat; }, "u: its base is not an earlier tensor"},
      {[](SamplePlan& p) { p[p.u].base = p.u; }, "u: its base is not an earlier tensor"},
      {[](SamplePlan& p) { p[p.u].base = 1000; }, "u: its base is not an earlier tensor"},
      {[](SamplePlan& p) { p[p.u].base = -2; }, "u: its base is not an earlier tensor"},
      {[](SamplePlan& p) { p[p.u].base = p.w; }, "u: its base is a constant"},
      {[](SamplePlan& p) { p[p.u].offset = 4; }, "u: it reaches past the end of its base"},
      {[](SamplePlan& p) { p[p.flat].offset = kHuge; }, "flat: it reaches past the end of its base"},
      {[](SamplePlan& p) { p[p.flat].shape = {11}, p[p.flat].offset = 2; },
       "flat: its offset is not aligned"},
      {[](SamplePlan& p) { p.plan.arena_bytes = kHuge; }, "plan: its arena is too large"},
      {[](SamplePlan& p) { p.plan.arena_bytes = 64; }, "image: it reaches past the end of the arena"},
  });
}

TEST_CASE("damaged quantization is refused") {
  check_all({
      {[](SamplePlan& p) { p.quantize(p.c, {0.f}); }, "c: a scale is not a positive normal number"},
      {[](SamplePlan& p) { p.quantize(p.c, {-1.f}); }, "c: a scale is not a positive normal number"},
      {[](SamplePlan& p) { p.quantize(p.c, {kNan}); }, "c: a scale is not a positive normal number"},
      {[](SamplePlan& p) { p.quantize(p.c, {1e-42f}); }, "c: a scale is not a positive normal number"},
      {[](SamplePlan& p) { p.quantize(p.c, {INFINITY}); }, "c: a scale is not a positive normal number"},
      {[](SamplePlan& p) { p.quantize(p.c, {1.f}, 128); }, "c: its zero point is not an int8"},
      {[](SamplePlan& p) { p.quantize(p.c, {1.f}, -129); }, "c: its zero point is not an int8"},
      {[](SamplePlan& p) {
         p.quantize(p.w, {1.f, 1.f, 1.f}, 1);
       },
       "w: its zero point must be 0"},
      {[](SamplePlan& p) {
         p.quantize(p.w, {1.f, 1.f});
       },
       "w: it has neither one scale nor one per channel"},
      {[](SamplePlan& p) { p.quantize(p.d, {1.f}); }, "d: only int8 and int32 can be quantized"},
      {[](SamplePlan& p) { p[p.c].quantization = nullptr; },
       "conv: an int8 tensor lacks a scale, or has more than one"},
      {[](SamplePlan& p) { p[p.q].quantization = nullptr; },
       "quantize: an int8 tensor lacks a scale, or has more than one"},
      {[](SamplePlan& p) { p[p.w].quantization = nullptr; },
       "conv: int8 weights must be constant, with scales and zero point 0"},
  });
}

TEST_CASE("damaged operands are refused") {
  check_all({
      {[](SamplePlan& p) { p.plan.ops[0]->inputs[0] = 1000; }, "quantize: an input's index is out of range"},
      {[](SamplePlan& p) { p.plan.ops[0]->inputs[0] = -2; }, "quantize: an input's index is out of range"},
      {[](SamplePlan& p) { p.plan.ops[0]->inputs[0] = -1; }, "quantize: an input is missing"},
      {[](SamplePlan& p) { p.plan.ops[0]->inputs.clear(); }, "quantize: an input is missing"},
      {[](SamplePlan& p) { p.plan.ops[0]->inputs.assign(2, p.image); }, "quantize: it has too many inputs"},
      {[](SamplePlan& p) { p.plan.ops[0]->outputs[0] = -1; }, "quantize: an output's index is out of range"},
      {[](SamplePlan& p) { p.plan.ops[0]->outputs[0] = 1000; },
       "quantize: an output's index is out of range"},
      {[](SamplePlan& p) { p.plan.ops[0]->outputs.clear(); }, "quantize: it must have one output"},
      {[](SamplePlan& p) { p.plan.ops[0]->outputs.push_back(p.c); }, "quantize: it must have one output"},
      {[](SamplePlan& p) { p.plan.ops[0]->outputs[0] = p.w; }, "quantize: it writes a constant"},
      {[](SamplePlan& p) { p.plan.ops[3]->outputs[0] = p.image; },
       "unary: it writes an input or what is written already"},
      {[](SamplePlan& p) { p.plan.ops[3]->outputs[0] = p.d; },
       "unary: it writes an input or what is written already"},
      {[](SamplePlan& p) { std::swap(p.plan.ops[0], p.plan.ops[1]); },
       "conv: it reads a tensor that no earlier op writes"},
      {[](SamplePlan& p) { p.plan.ops[0]->code = plan::OpCode::kNone; }, "quantize: its code is unknown"},
      {[](SamplePlan& p) { p.plan.ops[0]->code = static_cast<plan::OpCode>(999); },
       "quantize: its code is unknown"},
      {[](SamplePlan& p) { p.plan.ops[1]->attributes.Reset(); },
       "conv: its attributes are missing or of another op"},
      {[](SamplePlan& p) { p.plan.ops[1]->attributes.Set(plan::ConcatT()); },
       "conv: its attributes are missing or of another op"},
      {[](SamplePlan& p) { p.plan.ops[0]->code = plan::OpCode::kNone, p.plan.ops[0]->name = ""; },
       "op 0: its code is unknown"},
  });
}

TEST_CASE("damaged inputs, outputs and metadata are refused") {
  check_all({
      {[](SamplePlan& p) { p.plan.inputs.push_back(1000); }, "inputs: an index is out of range"},
      {[](SamplePlan& p) { p.plan.inputs.push_back(p.image); }, "image: it is an input twice"},
      {[](SamplePlan& p) { p.plan.inputs.push_back(p.w); }, "w: an input must have dense memory of its own"},
      {[](SamplePlan& p) { p.plan.inputs.push_back(p.flat); },
       "flat: an input must have dense memory of its own"},
      {[](SamplePlan& p) { p.plan.outputs.push_back(-1); }, "outputs: an index is out of range"},
      {[](SamplePlan& p) { p.plan.outputs.push_back(p.w); }, "w: an output must be dense and in the arena"},
      {[](SamplePlan& p) { p.output(p.tensor("idle", DType::kInt8, {1})); },
       "idle: it is an output that no op writes"},
      {[](SamplePlan& p) { p.plan.outputs.clear(); }, "outputs: the plan has none"},
      {[](SamplePlan& p) { p.plan.golden_outputs = {1}; },
       "golden outputs: there is not one hash per output"},
      {[](SamplePlan& p) { p.plan.preprocessing = std::make_unique<plan::PreprocessingT>(); },
       "preprocessing: it is not for a uint8 image of these channels"},
      {[](SamplePlan& p) {
         p.plan.preprocessing = std::make_unique<plan::PreprocessingT>();
         p.plan.preprocessing->order = static_cast<plan::ChannelOrder>(9);
       },
       "preprocessing: its channel order is unknown"},
  });
}

TEST_CASE("tensors that overlap while both are alive are refused") {
  check_all({
      {[](SamplePlan& p) { p[p.c].offset = p[p.q].offset; }, "c: it overlaps a tensor that lives with it"},
      {[](SamplePlan& p) { p[p.scores].offset = p[p.d].offset; },
       "scores: it overlaps a tensor that lives with it"},
      // The image is read by the last op.
      {[](SamplePlan& p) { p[p.c].offset = p[p.image].offset; },
       "c: it overlaps a tensor that lives with it"},
      {[](SamplePlan& p) { p[p.mean].offset = p[p.scores].offset; },
       "mean: it overlaps a tensor that lives with it"},
      {[](SamplePlan& p) { p[p.d].offset = p[p.q].offset; }, ""},  // q is dead by then
      // A dequantization cannot work in place.
      {[](SamplePlan& p) { p[p.d].base = p.c; }, "d: it reaches past the end of its base"},
      {[](SamplePlan& p) {
         p.plan.ops[3]->code = plan::OpCode::kSoftmax;
         p.plan.ops[3]->attributes.Set(plan::SoftmaxT());
       },
       "unary: its output overlaps an input"},
  });
}

TEST_CASE("a damaged header is refused") {
  const AlignedBytes good = SamplePlan().file();
  for (size_t bit = 0; bit < sizeof(PlanHeader) * 8; ++bit) {
    // Some bytes more or less of the padding behind the metadata do no harm.
    if (bit / 8 == offsetof(PlanHeader, metadata_bytes)) continue;
    // So does an older format, where the plan has nothing that is newer.
    if (bit / 8 == offsetof(PlanHeader, minor) && bit % 8 == 0) continue;
    AlignedBytes file(good.data(), good.size());
    file.data()[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    INFO("bit " << bit);
    CHECK(problem_of(file) != "");
  }
}

TEST_CASE("a newer format is not supported") {
  AlignedBytes file = SamplePlan().file();
  const uint16_t minor = kPlanMinor + 1;
  std::memcpy(file.data() + offsetof(PlanHeader, minor), &minor, sizeof(minor));
  ModelPtr model;
  const Status status = load(file, &model);
  CHECK(status.code() == StatusCode::kUnsupported);
  CHECK(std::string(status.what()) == "its format is of another version");
}

}  // namespace
}  // namespace bantam::test
