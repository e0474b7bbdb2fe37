#include "bantam/runtime/session.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

#include "hash64.h"
#include "loading.h"
#include "sample_plan.h"

namespace bantam::test {
namespace {

using plan::DType;
using plan::OpCode;

// a f32[4] -> b = a + 1 -> c = b + 1 in place -> out = c + a + 1; copy = out + 1, where out is read.
struct ChainPlan : PlanBuilder {
  int32_t a, b, c, out, copy;

  ChainPlan() {
    a = input("a", DType::kFloat32, {4});
    b = tensor("b", DType::kFloat32, {4});
    c = view("c", DType::kFloat32, {4}, b);
    out = tensor("out", DType::kFloat32, {4});
    copy = tensor("copy", DType::kFloat32, {4});
    op(OpCode::kUnary, {a}, b, plan::UnaryT(), "first");
    op(OpCode::kUnary, {b}, c, plan::UnaryT(), "second");
    op(OpCode::kBinary, {c, a}, out, plan::BinaryT(), "third");
    op(OpCode::kCopy, {out}, copy, "fourth");
    output(out);
    output(copy);
  }
};

class Fixture {
 public:
  Fixture() : file_(ChainPlan().file()) {
    fake_behavior() = FakeBehavior();
    REQUIRE(load(file_, &model).ok());
    REQUIRE(open(model, &session).ok());
  }

  float* input() { return static_cast<float*>(session->input_data(0)); }
  const float* output(int32_t i = 0) { return static_cast<const float*>(session->output_data(i)); }
  void set_input(float value) { std::fill_n(input(), 4, value); }

  ModelPtr model;
  SessionPtr session;

 private:
  AlignedBytes file_;
};

TEST_CASE("a session runs the ops in order") {
  Fixture f;
  f.set_input(10);
  REQUIRE(f.session->run().ok());
  CHECK(f.output()[3] == 23);  // (10 + 1 + 1) + 10 + 1
  CHECK(f.output(1)[0] == 24);
  f.set_input(0);
  REQUIRE(f.session->run().ok());
  CHECK(f.output()[0] == 3);
}

TEST_CASE("a padded input buffer is used in place, another one is copied") {
  Fixture f;
  std::vector<float> padded(4 + kReadPadding / sizeof(float), 5);
  float* own = f.input();
  REQUIRE(f.session->bind_input(0, padded.data(), padded.size() * sizeof(float)).ok());
  CHECK(f.session->input_data(0) == padded.data());
  f.set_input(5);
  own[0] = 100;
  REQUIRE(f.session->run().ok());
  CHECK(f.output()[0] == 13);
  CHECK(own[0] == 100);

  std::vector<float> exact(4, 7);
  REQUIRE(f.session->bind_input(0, exact.data(), 16).ok());
  REQUIRE(f.session->run().ok());
  CHECK(f.output()[0] == 17);

  std::vector<char> odd(16 + kReadPadding + 1);
  std::memcpy(odd.data() + 1, exact.data(), 16);
  REQUIRE(f.session->bind_input(0, odd.data() + 1, 16 + kReadPadding).ok());
  REQUIRE(f.session->run().ok());
  CHECK(f.output()[0] == 17);

  CHECK(f.session->bind_input(0, exact.data(), 15).code() == StatusCode::kInvalidArgument);
  REQUIRE(f.session->bind_input(0, nullptr, 0).ok());
  CHECK(f.input() == own);
}

TEST_CASE("outputs go to the caller's buffers") {
  Fixture f;
  f.set_input(10);
  // The first output is read by an op, so without padding it is copied; the second one is not.
  std::vector<float> out(4);
  std::vector<float> copy(4);
  REQUIRE(f.session->bind_output(0, out.data(), 16).ok());
  REQUIRE(f.session->bind_output(1, copy.data(), 16).ok());
  REQUIRE(f.session->run().ok());
  CHECK(out == std::vector<float>(4, 23));
  CHECK(copy == std::vector<float>(4, 24));

  std::vector<float> padded(4 + kReadPadding / sizeof(float));
  REQUIRE(f.session->bind_output(0, padded.data(), padded.size() * sizeof(float)).ok());
  REQUIRE(f.session->run().ok());
  CHECK(padded[3] == 23);
  CHECK(padded[4] == 0);
  CHECK(f.session->bind_output(0, out.data(), 15).code() == StatusCode::kInvalidArgument);
}

TEST_CASE("an input that an op overwrites is never bound directly") {
  PlanBuilder builder;
  const int32_t a = builder.input("a", DType::kFloat32, {4});
  const int32_t b = builder.view("b", DType::kFloat32, {4}, a);
  builder.op(OpCode::kUnary, {a}, b, plan::UnaryT());
  builder.output(b);
  const AlignedBytes file = builder.file();
  ModelPtr model;
  SessionPtr session;
  REQUIRE(load(file, &model).ok());
  REQUIRE(open(model, &session).ok());
  std::vector<float> padded(4 + kReadPadding / sizeof(float), 5);
  REQUIRE(session->bind_input(0, padded.data(), padded.size() * sizeof(float)).ok());
  std::vector<float> result(4 + kReadPadding / sizeof(float));
  REQUIRE(session->bind_output(0, result.data(), result.size() * sizeof(float)).ok());
  REQUIRE(session->run().ok());
  CHECK(padded[0] == 5);
  CHECK(result[0] == 6);
}

TEST_CASE("the arena can be the caller's") {
  Fixture f;
  AlignedBytes arena(f.model->loaded().arena_bytes);
  SessionPtr session;
  SessionOptions options;
  options.arena = arena.data();
  options.arena_bytes = arena.size();
  REQUIRE(open(f.model, &session, options).ok());
  CHECK(session->input_data(0) == arena.data());
  CHECK(session->run().ok());

  options.arena_bytes -= 1;
  CHECK(open(f.model, &session, options).code() == StatusCode::kInvalidArgument);
  AlignedBytes larger(arena.size() + 64);
  options.arena = larger.data() + 8;
  options.arena_bytes = arena.size();
  CHECK(open(f.model, &session, options).code() == StatusCode::kInvalidArgument);
}

TEST_CASE("an arena that memory does not suffice for is an error, and leaves nothing behind") {
  if constexpr (sizeof(size_t) < 8) SKIP("the largest arena fits into this address space");
  fake_behavior() = FakeBehavior();
  ChainPlan builder;
  builder.plan.arena_bytes = uint64_t{1} << 60;
  const AlignedBytes file = builder.file();
  ModelPtr model;
  SessionPtr session;
  REQUIRE(load(file, &model).ok());
  const Status status = open(model, &session);
  CHECK(status.code() == StatusCode::kOutOfMemory);
  CHECK(std::string(status.what()) == "no memory for the arena");
  CHECK(session == nullptr);
  CHECK(fake_behavior().alive == 1);  // the packed weights
}

TEST_CASE("the number of threads has limits") {
  Fixture f;
  SessionPtr session;
  SessionOptions options;
  for (const int32_t threads : {0, -1, 1025}) {
    options.threads = threads;
    CHECK(open(f.model, &session, options).code() == StatusCode::kInvalidArgument);
  }
  options.threads = 4;
  CHECK(open(f.model, &session, options).ok());
}

TEST_CASE("a hook sees every op and its output") {
  Fixture f;
  f.set_input(1);
  std::vector<std::pair<int32_t, float>> seen;
  const OpHook hook = [](void* user, const OpEvent& event) {
    static_cast<decltype(seen)*>(user)->emplace_back(event.op, *static_cast<const float*>(event.data));
  };
  REQUIRE(f.session->set_hook(hook, &seen).ok());
  REQUIRE(f.session->run().ok());
  CHECK(seen == decltype(seen){{0, 2}, {1, 3}, {2, 5}, {3, 6}});
  REQUIRE(f.session->set_hook(nullptr, nullptr).ok());
  REQUIRE(f.session->run().ok());
  CHECK(seen.size() == 4);
}

TEST_CASE("a hook can cancel, and the next run is whole again") {
  Fixture f;
  REQUIRE(f.session
              ->set_hook([](void* user, const OpEvent&) { static_cast<Session*>(user)->cancel(); },
                         f.session.get())
              .ok());
  const Status status = f.session->run();
  CHECK(status.code() == StatusCode::kCancelled);
  CHECK(std::string(status.where()) == "second");
  REQUIRE(f.session->set_hook(nullptr, nullptr).ok());
  f.session->cancel();
  CHECK(f.session->run().ok());
}

// Holds a run inside its first kernel until told to go on.
struct Gate {
  std::atomic<bool> inside{false};
  std::atomic<bool> open{false};
  static void wait(void* user) {
    auto* gate = static_cast<Gate*>(user);
    gate->inside = true;
    while (!gate->open) std::this_thread::yield();
  }
};

TEST_CASE("a session that runs is busy for other threads, and they can cancel it") {
  Fixture f;
  Gate gate;
  fake_behavior().before_run = Gate::wait;
  fake_behavior().user = &gate;
  Status first;
  std::thread runner([&] { first = f.session->run(); });
  while (!gate.inside) std::this_thread::yield();
  CHECK(f.session->run().code() == StatusCode::kBusy);
  CHECK(f.session->bind_input(0, nullptr, 0).code() == StatusCode::kBusy);
  CHECK(f.session->set_hook(nullptr, nullptr).code() == StatusCode::kBusy);
  CHECK(f.session->run_golden([](void*, GoldenKind, int32_t, uint64_t) {}, nullptr).code() ==
        StatusCode::kBusy);
  f.session->cancel();
  gate.open = true;
  runner.join();
  CHECK(first.code() == StatusCode::kCancelled);
  fake_behavior() = FakeBehavior();
  CHECK(f.session->run().ok());
}

TEST_CASE("sessions of one model run on many threads") {
  Fixture f;
  std::vector<SessionPtr> sessions(4);
  for (SessionPtr& session : sessions) REQUIRE(open(f.model, &session).ok());
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (size_t i = 0; i < sessions.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 100; ++round) {
        const auto value = static_cast<float>(i);
        std::fill_n(static_cast<float*>(sessions[i]->input_data(0)), 4, value);
        const bool ok = sessions[i]->run().ok();
        wrong += !ok || *static_cast<const float*>(sessions[i]->output_data(0)) != 2 * value + 3;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a session keeps its model alive") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes file = ChainPlan().file();
  ModelPtr model;
  SessionPtr session;
  REQUIRE(load(file, &model).ok());
  REQUIRE(open(model, &session).ok());
  model.reset();
  CHECK(session->run().ok());
  CHECK(fake_behavior().alive == 5);  // four kernels and the packed weights
  session.reset();
  CHECK(fake_behavior().alive == 0);
}

TEST_CASE("a kernel that cannot be made fails the session, and nothing is left behind") {
  const AlignedBytes file = ChainPlan().file();
  for (int32_t op = 0; op < 4; ++op) {
    fake_behavior() = FakeBehavior();
    fake_behavior().fail_op = op;
    ModelPtr model;
    SessionPtr session;
    REQUIRE(load(file, &model).ok());
    const Status status = open(model, &session);
    CHECK(status.code() == StatusCode::kUnsupported);
    CHECK(std::string(status.what()) == "no such kernel");
    CHECK(fake_behavior().alive == 1);
  }
  fake_behavior() = FakeBehavior();
}

using Hashes = std::vector<uint64_t>;

Hashes golden_of(Session* session) {
  Hashes hashes;
  const auto visit = [](void* user, GoldenKind, int32_t, uint64_t hash) {
    static_cast<Hashes*>(user)->push_back(hash);
  };
  REQUIRE(session->run_golden(visit, &hashes).ok());
  return hashes;
}

TEST_CASE("golden hashes are those of the dense outputs, and bindings stay") {
  Fixture f;
  const Hashes first = golden_of(f.session.get());
  REQUIRE(first.size() == 6);
  std::vector<float> expected(4);
  fill_golden_input(0, DType::kFloat32, 4, {}, expected.data());
  for (float& value : expected) value += 1;
  CHECK(first[0] == hash64(expected.data(), 16));
  CHECK(first[2] == first[4]);  // the third op makes the first output
  CHECK(first[3] == first[5]);

  std::vector<float> bound(4 + kReadPadding / sizeof(float), 5);
  REQUIRE(f.session->bind_input(0, bound.data(), bound.size() * sizeof(float)).ok());
  CHECK(golden_of(f.session.get()) == first);
  CHECK(f.session->input_data(0) == bound.data());
  CHECK(bound[0] == 5);
  REQUIRE(f.session->run().ok());
  CHECK(f.output()[0] == 13);
}

TEST_CASE("the golden hash of strided rows is that of their elements") {
  PlanBuilder builder;
  const int32_t a = builder.input("a", DType::kFloat32, {3, 2});
  const int32_t whole = builder.tensor("whole", DType::kFloat32, {3, 4});
  const int32_t part = builder.view("part", DType::kFloat32, {3, 2}, whole, 8, 4);
  const int32_t dense = builder.tensor("dense", DType::kFloat32, {3, 2});
  builder.op(OpCode::kCopy, {a}, part);
  builder.op(OpCode::kCopy, {a}, dense);
  builder.output(dense);
  const AlignedBytes file = builder.file();
  ModelPtr model;
  SessionPtr session;
  REQUIRE(load(file, &model).ok());
  REQUIRE(open(model, &session).ok());
  const Hashes hashes = golden_of(session.get());
  CHECK(hashes[0] == hashes[1]);
}

TEST_CASE("the golden range of a float input is that of the op that quantizes it") {
  const AlignedBytes file = SamplePlan().file();
  ModelPtr model;
  REQUIRE(load(file, &model).ok());
  CHECK(model->golden_range(0).scale == 0.5f);
  CHECK(model->golden_range(0).zero_point == 3);
}

TEST_CASE("memory is told") {
  Fixture f;
  const SessionMemory memory = f.session->memory();
  CHECK(memory.arena == 4 * 64 + kReadPadding);
  CHECK(memory.workspace == 100);
  CHECK(memory.state == 4 * 16);
  CHECK(memory.bookkeeping > sizeof(Session));
}

}  // namespace
}  // namespace bantam::test
