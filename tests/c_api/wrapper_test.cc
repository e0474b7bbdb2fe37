// The C tests, and bantam.hpp over the same library.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bantam/bantam.hpp"
#include "c_api_test.h"
#include "chain_plan.h"
#include "conv_plan.h"

namespace bantam::test {
namespace {

TEST_CASE("the C API, from C") {
  const AlignedBytes plan = ChainPlan().file();
  CHECK(c_api_test(plan.data(), plan.size()) == 0);
}

TEST_CASE("a failure carries its status and explanation") {
  const auto model = bantam::Model::from_file("/no/such/file");
  REQUIRE(!model);
  CHECK(model.status() == BANTAM_IO);
  CHECK(std::string(model.error().where) == "/no/such/file");
}

TEST_CASE("the C++ wrapper owns what it makes") {
  const AlignedBytes plan = ChainPlan().file();
  auto model = bantam::Model::from_memory(plan.data(), plan.size());
  REQUIRE(model);
  CHECK(model->info().op_count == 2);
  CHECK(std::string(model->input(0).name) == "x");
  CHECK(model->input(7).name == nullptr);
  CHECK(std::string(model->op(0).kind) == "Abs");
  CHECK(std::string(model->note(0).text) == "a note");
  CHECK(std::string(model->provenance().source_name) == "chain.onnx");
  CHECK(!model->preprocessing());

  auto session = model->create_session();
  REQUIRE(session);
  auto moved = std::move(*session);
  const float in[6] = {1, 2, 3, 4, 5, 6};
  float out[6] = {};
  REQUIRE(moved.bind_input(0, in, sizeof(in)));
  REQUIRE(moved.bind_output(0, out, sizeof(out)));
  int events = 0;
  const auto count = [&](const bantam_op_event&) { ++events; };
  REQUIRE(moved.set_hook(&count));
  REQUIRE(moved.run());
  CHECK(out[5] == 36);
  CHECK(events == 2);
  CHECK(moved.memory().arena_bytes == model->info().arena_bytes);
  const auto verification = moved.verify();
  REQUIRE(verification);
  CHECK(verification->matches == 0);
  CHECK(moved.input(3).data == nullptr);
}

// What a plan computes of fixed inputs, loaded with a cache.
struct CachedRun {
  std::vector<int8_t> output;
  bantam_memory memory;
};

CachedRun run_cached(const AlignedBytes& plan, const std::string& cache) {
  bantam_source from = bantam::source();
  from.data = plan.data();
  from.bytes = plan.size();
  from.cache = cache.c_str();
  const auto model = bantam::Model::open(from);
  REQUIRE(model);
  auto session = model->create_session();
  REQUIRE(session);
  const bantam_tensor input = session->input(0), output = session->output(0);
  for (size_t i = 0; i < input.bytes; ++i) static_cast<int8_t*>(input.data)[i] = static_cast<int8_t>(i * 31);
  REQUIRE(session->run());
  const auto* values = static_cast<const int8_t*>(output.data);
  return {{values, values + output.bytes}, session->memory()};
}

TEST_CASE("with a cache, weights are packed once and computed with alike") {
  char directory[] = "/tmp/bantam_test_XXXXXX";
  REQUIRE(mkdtemp(directory) != nullptr);
  ConvPlan builder;
  AlignedBytes plan = builder.file();
  const CachedRun first = run_cached(plan, directory);
  CHECK(first.memory.packed_bytes > 0);
  CHECK(first.memory.cached_bytes == 0);
  const CachedRun second = run_cached(plan, directory);
  CHECK(second.memory.packed_bytes == 0);
  CHECK(second.memory.cached_bytes == first.memory.packed_bytes);
  CHECK(second.output == first.output);
  // The weights in the plan are not even looked at.
  PlanHeader header;
  std::memcpy(&header, plan.data(), sizeof(header));
  plan.data()[header.weights_offset + builder[builder.first_weights].offset] ^= std::byte{1};
  CHECK(run_cached(plan, directory).output == first.output);
  CHECK(bantam::Model::from_memory(plan.data(), plan.size()).status() == BANTAM_INVALID_PLAN);
  std::filesystem::remove_all(directory);
}

TEST_CASE("verify tells the first op that differs, and agrees with what golden gave") {
  ChainPlan builder;
  uint64_t ops[2];
  uint64_t output = 0;
  {
    const AlignedBytes plan = builder.file();
    const auto model = bantam::Model::from_memory(plan.data(), plan.size());
    const auto session = model->create_session();
    REQUIRE(bantam_session_golden(session->get(), ops, 2, &output, 1, nullptr) == BANTAM_OK);
  }
  builder.plan.ops[0]->golden = ops[0];
  builder.plan.ops[1]->golden = ops[1];
  builder.plan.golden_outputs = {output};
  const auto verify = [&] {
    const AlignedBytes plan = builder.file();
    const auto model = bantam::Model::from_memory(plan.data(), plan.size());
    return *model->create_session()->verify();
  };
  CHECK(verify().matches == 1);
  CHECK(verify().ops_compared == 2);
  builder.plan.ops[1]->golden = ops[1] + 1;
  const bantam_verification damaged = verify();
  CHECK(damaged.matches == 0);
  CHECK(damaged.ops_different == 1);
  CHECK(damaged.outputs_different == 0);
  CHECK(damaged.first_op == 1);
  CHECK(damaged.expected == ops[1] + 1);
  CHECK(damaged.actual == ops[1]);
}

}  // namespace
}  // namespace bantam::test
