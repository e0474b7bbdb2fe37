// One model, many sessions on many threads, each with threads of its own, with the real kernels.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bantam/bantam.hpp"
#include "float_plan.h"
#include "sample_plan.h"

namespace bantam::test {
namespace {

using Outputs = std::vector<std::vector<char>>;

bantam::Model load(const AlignedBytes& plan) {
  auto model = bantam::Model::from_memory(plan.data(), plan.size());
  REQUIRE(model);
  return std::move(*model);
}

bantam_session_options with_threads(int32_t threads) {
  bantam_session_options options = session_options();
  options.threads = threads;
  return options;
}

// The outputs for inputs that depend on `seed`; nothing when the run fails.
std::optional<Outputs> outputs_of(bantam::Session& session, int inputs, int outputs, int seed) {
  for (int i = 0; i < inputs; ++i) {
    const bantam_tensor input = session.input(i);
    auto* values = static_cast<float*>(input.data);
    for (size_t k = 0; k < input.bytes / sizeof(float); ++k) {
      values[k] = static_cast<float>((k * 7 + static_cast<size_t>(seed) * 13) % 31) * 0.125f - 2;
    }
  }
  if (!session.run()) return std::nullopt;
  Outputs all;
  for (int i = 0; i < outputs; ++i) {
    const bantam_tensor output = session.output(i);
    const auto* bytes = static_cast<const char*>(output.data);
    all.emplace_back(bytes, bytes + output.bytes);
  }
  return all;
}

void run_everywhere(const AlignedBytes& plan) {
  constexpr int kThreads = 6, kSeeds = 3;
  std::optional<bantam::Model> model = load(plan);
  const bantam_model_info info = model->info();
  std::vector<Outputs> expected;
  {
    auto session = model->create_session();
    REQUIRE(session);
    for (int seed = 0; seed < kSeeds; ++seed) {
      expected.push_back(outputs_of(*session, info.input_count, info.output_count, seed).value());
    }
  }
  std::atomic<int> ready{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      auto held = model->create_session();  // while others create theirs
      wrong += !held;
      ++ready;
      for (int round = 0; round < 6 * kSeeds && held; ++round) {
        const int seed = (t + round) % kSeeds;
        const auto found = outputs_of(*held, info.input_count, info.output_count, seed);
        wrong += found != expected[static_cast<size_t>(seed)];
        wrong += held->memory().arena_bytes != info.arena_bytes;
      }
    });
  }
  while (ready < kThreads) std::this_thread::yield();
  model.reset();  // the sessions keep it
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("any number of sessions on any number of threads use one model") {
  SECTION("int8") { run_everywhere(SamplePlan().file()); }
  SECTION("float32") { run_everywhere(FloatPlan().file()); }
}

void with_pools(const AlignedBytes& plan) {
  const bantam::Model model = load(plan);
  const bantam_model_info info = model.info();
  auto alone = model.create_session();
  REQUIRE(alone);
  const Outputs expected = outputs_of(*alone, info.input_count, info.output_count, 1).value();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  // Few: pools with more threads than there are cores spin, and an emulator spins slowly.
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int s = 0; s < 2; ++s) {
        auto session = model.create_session(with_threads(1 + (t + s) % 3));
        wrong += !session;
        for (int round = 0; round < 2 && session; ++round) {
          wrong += outputs_of(*session, info.input_count, info.output_count, 1) != expected;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("sessions with pools of threads come and go while others run") {
  SECTION("int8") { with_pools(SamplePlan().file()); }
  SECTION("float32") { with_pools(FloatPlan().file()); }
}

// y = |x| + 1 + 1 + 1 ...
struct LongPlan : PlanBuilder {
  static constexpr int kOps = 200;

  static std::string numbered(const char* name, int number) {
    return std::string(name).append(std::to_string(number));
  }

  LongPlan() {
    using plan::DType;
    const int32_t one = constant<float>("one", DType::kFloat32, {4096}, std::vector<float>(4096, 1));
    const int32_t x = input("x", DType::kFloat32, {4096});
    const int32_t first = tensor("y0", DType::kFloat32, {4096});
    plan::UnaryT abs;
    abs.kind = plan::UnaryKind::kAbs;
    op(plan::OpCode::kUnary, {x}, first, abs, "abs");
    int32_t last = first;
    for (int i = 1; i < kOps; ++i) {
      const int32_t next = view(numbered("y", i), DType::kFloat32, {4096}, first);
      op(plan::OpCode::kBinary, {last, one}, next, plan::BinaryT(), numbered("add", i));
      last = next;
    }
    output(last);
  }
};

TEST_CASE(
    "a long run is cancelled from another thread, is busy for it meanwhile, and runs whole afterwards") {
  const AlignedBytes plan = LongPlan().file();
  const bantam::Model model = load(plan);
  auto session = model.create_session(with_threads(2));
  REQUIRE(session);
  std::atomic<int> done{0};
  const auto slowly = [&](const bantam_op_event&) {
    ++done;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  REQUIRE(session->set_hook(&slowly));
  bantam::Outcome outcome;
  std::thread runner([&] { outcome = session->run(); });
  while (done == 0) std::this_thread::yield();

  float buffer[4096] = {};
  CHECK(session->run().status() == BANTAM_BUSY);
  CHECK(session->verify().status() == BANTAM_BUSY);
  CHECK(session->bind_input(0, buffer, sizeof(buffer)).status() == BANTAM_BUSY);
  CHECK(session->bind_output(0, buffer, sizeof(buffer)).status() == BANTAM_BUSY);
  CHECK(session->set_hook(&slowly).status() == BANTAM_BUSY);
  session->cancel();
  runner.join();
  CHECK(outcome.status() == BANTAM_CANCELLED);
  CHECK(std::string(outcome.error().where).starts_with("add"));
  CHECK(done < LongPlan::kOps);

  REQUIRE(session->set_hook(static_cast<decltype(slowly)*>(nullptr)));
  std::memset(session->input(0).data, 0, session->input(0).bytes);
  REQUIRE(session->run());
  CHECK(static_cast<const float*>(session->output(0).data)[4095] == LongPlan::kOps - 1);
}

TEST_CASE("threads that fight over one session and cancel at random never see a wrong result") {
  const AlignedBytes plan = LongPlan().file();
  const bantam::Model model = load(plan);
  auto session = model.create_session();
  REQUIRE(session);
  std::memset(session->input(0).data, 0, session->input(0).bytes);
  std::vector<float> in(4096 + BANTAM_READ_PADDING / sizeof(float), 0);
  REQUIRE(session->bind_input(0, in.data(), in.size() * sizeof(float)));
  std::atomic<int> unexpected{0}, completed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round) {
        if (t == 0 && round % 5 == 0) session->cancel();
        const bantam_status status = session->run().status();
        completed += status == BANTAM_OK;
        unexpected += status != BANTAM_OK && status != BANTAM_BUSY && status != BANTAM_CANCELLED;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(unexpected == 0);
  CHECK(completed > 0);
  REQUIRE(session->run());
  CHECK(static_cast<const float*>(session->output(0).data)[0] == LongPlan::kOps - 1);
}

}  // namespace
}  // namespace bantam::test
