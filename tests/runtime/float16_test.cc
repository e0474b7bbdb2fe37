// What of a plan is float16 where the kernels compute in it.
#include <catch2/catch_test_macros.hpp>

#include "loading.h"
#include "support/plan_builder.h"

namespace bantam::test {
namespace {

using plan::DType;
using plan::OpCode;

// x -Conv(w)-> a -Unary, in place-> b; the right half of b -Conv(w)-> y. All between x and y is marked.
struct HalfPlan : PlanBuilder {
  int32_t x, w, a, b, right, y;

  HalfPlan() {
    x = input("x", DType::kFloat32, {1, 2, 2, 4});
    w = constant<uint16_t>("w", DType::kFloat16, {4, 1, 1, 4}, std::vector<uint16_t>(16, 0x3c00));
    const int32_t v =
        constant<uint16_t>("v", DType::kFloat16, {4, 1, 1, 2}, std::vector<uint16_t>(8, 0x3c00));
    a = tensor("a", DType::kFloat32, {1, 2, 2, 4});
    b = view("b", DType::kFloat32, {1, 2, 2, 4}, a);
    right = view("right", DType::kFloat32, {1, 2, 2, 2}, b, 2 * sizeof(float), 4);
    y = tensor("y", DType::kFloat32, {1, 2, 2, 4});
    output(y);
    op(OpCode::kConv2d, {x, w}, a, plan::Conv2dT(), "first").half = true;
    op(OpCode::kUnary, {a}, b, plan::UnaryT(), "clamp");
    op(OpCode::kConv2d, {right, v}, y, plan::Conv2dT(), "second").half = true;
    for (const int32_t tensor : {a, b, right}) (*this)[tensor].half = true;
  }
};

Status load_with(bool (*computes)(const OpContext&), const AlignedBytes& file, ModelPtr* model) {
  static KernelTable table = fake_kernels();
  table.computes_float16 = computes;
  Model* made = nullptr;
  const Status status = Model::from_memory(file.data(), file.size(), table, &made);
  model->reset(made);
  return status;
}

TEST_CASE("marked tensors are float16 where an op computes so") {
  const HalfPlan p;
  const AlignedBytes file = p.file();
  ModelPtr model;
  REQUIRE(load_with([](const OpContext& op) { return op.op->code() == OpCode::kConv2d; }, file, &model).ok());
  const LoadedPlan& loaded = model->loaded();
  CHECK(loaded.ops[0].float16);
  CHECK(!loaded.ops[1].float16);
  CHECK(loaded.ops[2].float16);
  const auto tensor = [&](int32_t i) -> const TensorInfo& { return loaded.tensors[static_cast<size_t>(i)]; };
  for (const int32_t i : {p.a, p.b, p.right}) CHECK(tensor(i).dtype == DType::kFloat16);
  for (const int32_t i : {p.x, p.y}) CHECK(tensor(i).dtype == DType::kFloat32);
  CHECK(tensor(p.a).bytes == 32);
  CHECK(tensor(p.right).bytes == (3 * 4 + 2) * 2);
  CHECK(tensor(p.right).pixel_stride == 4);
  const auto place = [&](int32_t i) { return loaded.places[static_cast<size_t>(i)]; };
  CHECK(place(p.right).root == p.a);
  CHECK(place(p.right).offset == 4);
  CHECK(place(p.right).arena == place(p.a).arena + 4);
  SessionPtr session;
  REQUIRE(open(model, &session).ok());
  CHECK(session->run().ok());
}

TEST_CASE("nothing is float16 where no op computes so, or none may") {
  for (const bool may : {true, false}) {
    HalfPlan p;
    if (!may) {
      for (auto& op : p.plan.ops) op->half = false;
    }
    const AlignedBytes file = p.file();
    ModelPtr model;
    const auto none = [](const OpContext&) { return false; };
    const auto all = [](const OpContext&) { return true; };
    REQUIRE(load_with(may ? +none : +all, file, &model).ok());
    for (const OpContext& op : model->loaded().ops) CHECK(!op.float16);
    CHECK(model->loaded().tensors[static_cast<size_t>(p.a)].dtype == DType::kFloat32);
    REQUIRE(load_with(nullptr, file, &model).ok());
    CHECK(model->loaded().tensors[static_cast<size_t>(p.a)].dtype == DType::kFloat32);
  }
}

TEST_CASE("contradictory marks are refused") {
  struct Damage {
    void (*apply)(HalfPlan& p);
    const char* problem;
  };
  const Damage damages[] = {
      {[](HalfPlan& p) { p[p.x].half = true; }, "x: an input cannot be marked as float16"},
      {[](HalfPlan& p) { p[p.y].half = true; }, "y: an output cannot be marked as float16"},
      {[](HalfPlan& p) { p[p.b].half = false; }, "b: its base is not marked float16 alike"},
      {[](HalfPlan& p) { p[p.a].half = false; }, "b: its base is not marked float16 alike"},
      {[](HalfPlan& p) { p[p.w].half = true; }, "w: only float32 in the arena can be float16"},
      {[](HalfPlan& p) { p[p.right].dtype = DType::kInt32; },
       "right: only float32 in the arena can be float16"}};
  CHECK(problem_of(HalfPlan().file()) == "");
  for (const Damage& damage : damages) {
    HalfPlan p;
    damage.apply(p);
    CHECK(problem_of(p.file()) == damage.problem);
  }
}

}  // namespace
}  // namespace bantam::test
