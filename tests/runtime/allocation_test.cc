// Counts and fails allocations: a run makes none, and loading survives the failure of any one.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <new>

#include "loading.h"
#include "sample_plan.h"

namespace {

// While `armed`, every allocation through operator new counts, and number `failing` returns null.
std::atomic<bool> armed{false};
std::atomic<int> allocations{0};
std::atomic<int> live{0};
int failing = -1;

void* allocate(std::size_t size, std::size_t alignment) {
  if (armed) {
    if (allocations++ == failing) return nullptr;
    ++live;
  }
  const std::size_t rounded = (size + alignment) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded);
}

void release(void* memory) {
  if (memory != nullptr && armed) --live;
  std::free(memory);
}

constexpr std::size_t kNatural = alignof(std::max_align_t);

void* allocate_or_throw(std::size_t size) {
  void* memory = allocate(size, kNatural);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate_or_throw(size); }
void* operator new[](std::size_t size) { return allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, kNatural); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, kNatural); }
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }

namespace bantam::test {
namespace {

struct Armed {
  explicit Armed(int fail) {
    failing = fail;
    allocations = 0;
    live = 0;
    armed = true;
  }
  ~Armed() { armed = false; }
};

TEST_CASE("a run allocates nothing") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes file = SamplePlan().file();
  ModelPtr model;
  SessionPtr session;
  REQUIRE(load(file, &model).ok());
  REQUIRE(open(model, &session).ok());
  std::vector<float> image(32 + kReadPadding / sizeof(float));
  int events = 0;
  REQUIRE(session->set_hook([](void* user, const OpEvent&) { ++*static_cast<int*>(user); }, &events).ok());
  bool ok = true;
  {
    Armed counting(-1);
    ok = ok && session->run().ok();
    ok = ok && session->bind_input(0, image.data(), image.size() * sizeof(float)).ok();
    ok = ok && session->run().ok();
    ok = ok && session->run_golden([](void*, GoldenKind, int32_t, uint64_t) {}, nullptr).ok();
  }
  CHECK(ok);
  CHECK(allocations == 0);
  CHECK(events == 12);
}

// Loads from memory that must be copied, and makes a session with threads.
Status load_all(const std::byte* data, size_t size, ModelPtr* model, SessionPtr* session) {
  Model* made = nullptr;
  Status status = Model::from_memory(data, size, fake_kernels(), &made);
  model->reset(made);
  if (!status.ok()) return status;
  SessionOptions options;
  options.threads = 2;
  return open(*model, session, options);
}

TEST_CASE("whichever allocation fails, loading reports it and leaves nothing behind") {
  fake_behavior() = FakeBehavior();
  const AlignedBytes plan = SamplePlan().file();
  AlignedBytes shifted(plan.size() + 1);
  std::memcpy(shifted.data() + 1, plan.data(), plan.size());
  for (int n = 0;; ++n) {
    Status status;
    {
      Armed counting(n);
      ModelPtr model;
      SessionPtr session;
      status = load_all(shifted.data() + 1, plan.size(), &model, &session);
    }
    CHECK(live == 0);
    CHECK(fake_behavior().alive == 0);
    if (status.ok()) {
      CHECK(n == allocations);
      CHECK(n > 20);
      break;
    }
    CHECK(status.code() == StatusCode::kOutOfMemory);
  }
}

}  // namespace
}  // namespace bantam::test
