// Whatever a file holds: it is refused, or it runs without touching memory that is not its own (sanitizers
// watch).
#include <catch2/catch_test_macros.hpp>

#include "loading.h"
#include "sample_plan.h"

#if defined(__SANITIZE_ADDRESS__)
// A plan may ask for an arena larger than the machine: that is an error, not the end of the process.
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:max_allocation_size_mb=64";
}
#endif

namespace bantam::test {
namespace {

// Loads and, when that works, runs.
void load_and_run(const AlignedBytes& file) {
  ModelPtr model;
  if (!load(file, &model).ok()) return;
  SessionPtr session;
  if (!open(model, &session).ok()) return;
  for (int32_t i = 0; i < model->loaded().input_count(); ++i) {
    const int32_t tensor = model->loaded().inputs()[static_cast<size_t>(i)];
    std::memset(session->input_data(i), 0, model->loaded().tensors[static_cast<size_t>(tensor)].bytes);
  }
  const Status status = session->run();
  CHECK(status.ok());
}

TEST_CASE("every truncation is refused") {
  const AlignedBytes good = SamplePlan().file();
  for (size_t size = 0; size < good.size(); ++size) {
    ModelPtr model;
    const Status status = load(AlignedBytes(good.data(), size), &model);
    if (status.code() != StatusCode::kInvalidPlan) FAIL("not refused at " << size);
  }
}

// Without its last zeros the metadata may still be whole.
TEST_CASE("every truncation with a header that agrees does no harm") {
  const AlignedBytes good = SamplePlan().file();
  PlanHeader header = {};
  std::memcpy(&header, good.data(), sizeof(header));
  for (size_t metadata = 0; metadata < header.metadata_bytes; ++metadata) {
    load_and_run(plan_file(good.data() + sizeof(header), metadata, std::vector<std::byte>(256)));
  }
}

TEST_CASE("every flipped bit is noticed by the checksum") {
  const AlignedBytes good = SamplePlan().file();
  for (size_t bit = sizeof(PlanHeader) * 8; bit < good.size() * 8; ++bit) {
    AlignedBytes file(good.data(), good.size());
    file.data()[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    ModelPtr model;
    if (load(file, &model).code() != StatusCode::kInvalidPlan) FAIL("not refused at bit " << bit);
  }
}

TEST_CASE("every flipped bit of the metadata under a right checksum does no harm") {
  const AlignedBytes good = SamplePlan().file();
  PlanHeader header = {};
  std::memcpy(&header, good.data(), sizeof(header));
  for (size_t bit = 0; bit < header.metadata_bytes * 8; ++bit) {
    AlignedBytes file(good.data(), good.size());
    file.data()[sizeof(header) + bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    seal(&file);
    load_and_run(file);
  }
}

TEST_CASE("random bytes over the metadata under a right checksum do no harm") {
  const AlignedBytes good = SamplePlan().file();
  PlanHeader header = {};
  std::memcpy(&header, good.data(), sizeof(header));
  uint64_t random = 1;
  const auto next = [&] { return random = golden::mix(random); };
  for (int round = 0; round < 20000; ++round) {
    AlignedBytes file(good.data(), good.size());
    for (uint64_t count = next() % 4 + 1; count > 0; --count) {
      const uint64_t place = next() % (header.metadata_bytes - 3);
      // Small numbers and extremes are what indices, offsets and dimensions break on.
      const uint32_t kValues[] = {0,          1,          2,          3,
                                  0x7fffffff, 0x80000000, 0xffffffff, static_cast<uint32_t>(next())};
      const uint32_t value = kValues[next() % 8];
      std::memcpy(file.data() + sizeof(header) + place / 4 * 4, &value, sizeof(value));
    }
    seal(&file);
    load_and_run(file);
  }
}

}  // namespace
}  // namespace bantam::test
