// Weights that the plan has without their zeros: put back as they were, and refused when they are not sound.
#include "zero_mask.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <random>

#include "loading.h"
#include "sample_plan.h"

namespace bantam::test {
namespace {

using plan::DType;
using plan::OpCode;
constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

// A convolution whose weights take 16 bytes for the mask of 72 elements, and 10 for those that are not zero.
struct SparsePlan : PlanBuilder {
  int32_t x, w, b, y;

  SparsePlan() {
    std::vector<int8_t> values(72, 0);
    for (size_t i = 0; i < 10; ++i) values[i * 7] = static_cast<int8_t>(i + 1);
    x = input("x", DType::kInt8, {1, 4, 4, 2});
    w = without_zeros<int8_t>("w", DType::kInt8, {4, 3, 3, 2}, values);
    b = constant<int32_t>("b", DType::kInt32, {4}, {1, 2, 3, 4});
    y = tensor("y", DType::kInt8, {1, 2, 2, 4});
    quantize(x, {0.5f}, 3);
    quantize(w, {0.1f});
    quantize(y, {0.25f}, -4);
    output(y);
    op(OpCode::kConv2d, {x, w, b}, y, plan::Conv2dT(), "conv");
  }
};

struct Damage {
  void (*apply)(SparsePlan& p);
  const char* problem;
};

void check_all(const std::vector<Damage>& damages) {
  for (const Damage& damage : damages) {
    SparsePlan p;
    damage.apply(p);
    INFO("expected " << damage.problem);
    CHECK(problem_of(p.file()) == damage.problem);
  }
}

constexpr const char* kUnsound = "w: its mask of zeros is damaged";

TEST_CASE("weights without zeros load, and damaged ones are refused") {
  CHECK(problem_of(SparsePlan().file()) == "");
  check_all({
      {[](SparsePlan& p) { p[p.w].stored_bytes = 25; }, kUnsound},
      {[](SparsePlan& p) { p[p.w].stored_bytes = 27; }, kUnsound},
      {[](SparsePlan& p) { p[p.w].stored_bytes = 15; }, kUnsound},
      {[](SparsePlan& p) { p[p.w].stored_bytes = 0; }, kUnsound},
      {[](SparsePlan& p) { p[p.w].stored_bytes = 1000; }, "w: it reaches past the end of the weights"},
      {[](SparsePlan& p) { p[p.w].stored_bytes = kHuge; }, "w: it reaches past the end of the weights"},
      {[](SparsePlan& p) { p[p.w].offset = kHuge - 63; }, "w: it reaches past the end of the weights"},
      {[](SparsePlan& p) { p[p.w].offset = 32; }, "w: its offset is not aligned"},
      {[](SparsePlan& p) { p.weights()[0] |= std::byte{2}; }, kUnsound},
      {[](SparsePlan& p) { p.weights()[0] &= std::byte{0xfe}; }, kUnsound},
      {[](SparsePlan& p) { p.weights()[9] |= std::byte{1}, p[p.w].stored_bytes = 27; }, kUnsound},
      {[](SparsePlan& p) {
         p[p.w].shape = {4, 3, 3, 200};
       },
       kUnsound},
      {[](SparsePlan& p) { p[p.w].shape.assign(8, 1 << 30); }, "w: it is too large"},
      {[](SparsePlan& p) { p[p.w].encoding = static_cast<plan::Encoding>(2); }, "w: its encoding is unknown"},
      {[](SparsePlan& p) { p[p.w].dtype = DType::kBool, p[p.w].quantization.reset(); },
       "w: its encoding is unknown"},
      {[](SparsePlan& p) { p[p.y].encoding = plan::Encoding::kNoZeros; }, "y: its encoding is unknown"},
      {[](SparsePlan& p) {
         p.plan.ops[0]->inputs = {p.x, p.w, p.w};
       },
       "conv: a constant lacks its zeros"},
      {[](SparsePlan& p) { p.plan.ops[0]->code = OpCode::kMatMul; }, "conv: a constant lacks its zeros"},
  });
}

TEST_CASE("a plan of the format before has none without zeros") {
  AlignedBytes file = SparsePlan().file();
  const uint16_t before = kPlanMinorNoZeros - 1;
  std::memcpy(file.data() + offsetof(PlanHeader, minor), &before, sizeof(before));
  CHECK(problem_of(file) == "w: its encoding is unknown");
  AlignedBytes plain = SamplePlan().file();
  std::memcpy(plain.data() + offsetof(PlanHeader, minor), &before, sizeof(before));
  CHECK(problem_of(plain) == "");
}

TEST_CASE("a kernel sees the weights whole, and a session runs without them once they are packed") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes file = SparsePlan().file();
  ModelPtr model;
  REQUIRE(load(file, &model).ok());
  const TensorInfo& stored = model->loaded().ops[0].input(1);
  CHECK(stored.without_zeros);
  CHECK(stored.bytes == 72);
  CHECK(stored.stored_bytes == 26);
  SessionPtr session;
  REQUIRE(open(model, &session).ok());
  CHECK(session->run().ok());
  PackedEntry packed;
  REQUIRE(fake_kernels().list_packed(model->packed(), &packed, 1) == 1);
  REQUIRE(packed.bytes == 72);
  const auto* values = static_cast<const int8_t*>(packed.data);
  for (size_t i = 0; i < 72; ++i)
    CHECK(values[i] == (i % 7 == 0 && i < 70 ? static_cast<int>(i / 7) + 1 : 0));
}

TEST_CASE("every flipped bit of what is stored does no harm") {
  SparsePlan good;
  for (size_t bit = 0; bit < 26 * 8; ++bit) {
    SparsePlan p;
    p.weights()[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    const AlignedBytes file = p.file();
    ModelPtr model;
    if (!load(file, &model).ok()) continue;
    SessionPtr session;
    REQUIRE(open(model, &session).ok());
    CHECK(session->run().ok());
  }
}

// Whatever the bytes are: nothing outside of them is read, nothing outside of the elements written.
TEST_CASE("zeros are put back in random bytes without touching others") {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    const size_t elements = random() % 200 + 1, element = size_t{1} << random() % 3;
    std::vector<std::byte> stored(random() % 900), out(elements * element);
    for (std::byte& byte : stored) byte = static_cast<std::byte>(random() & random());
    const bool sound = is_without_zeros(stored.data(), stored.size(), elements, element);
    const bool done = put_zeros_back(stored.data(), stored.size(), elements, element, out.data());
    CHECK((done || !sound));
  }
}

}  // namespace
}  // namespace bantam::test
