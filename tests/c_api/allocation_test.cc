// The library with its real kernels: a run allocates nothing, and loading survives the failure of any
// allocation. The linker redirects the allocation functions of everything in this program to those below (see
// CMakeLists.txt).
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <new>

#include "bantam/bantam.hpp"
#include "float_plan.h"
#include "sample_plan.h"

namespace {

// While `armed`, every allocation of any thread counts, and number `failing` fails.
std::atomic<bool> armed{false};
std::atomic<int> allocations{0};
std::atomic<int> live{0};
std::atomic<int> failing{-1};

// Whether the next allocation may succeed.
bool grant() {
  if (!armed) return true;
  if (allocations++ == failing) return false;
  ++live;
  return true;
}

}  // namespace

extern "C" {
void* __real_malloc(size_t size);
void* __real_calloc(size_t count, size_t size);
void* __real_realloc(void* memory, size_t size);
void* __real_memalign(size_t alignment, size_t size);
void* __real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void** memory, size_t alignment, size_t size);
void __real_free(void* memory);

void* __wrap_malloc(size_t size) { return grant() ? __real_malloc(size) : nullptr; }
void* __wrap_calloc(size_t count, size_t size) { return grant() ? __real_calloc(count, size) : nullptr; }
void* __wrap_memalign(size_t alignment, size_t size) {
  return grant() ? __real_memalign(alignment, size) : nullptr;
}
void* __wrap_aligned_alloc(size_t alignment, size_t size) {
  return grant() ? __real_aligned_alloc(alignment, size) : nullptr;
}
int __wrap_posix_memalign(void** memory, size_t alignment, size_t size) {
  return grant() ? __real_posix_memalign(memory, alignment, size) : ENOMEM;
}
void* __wrap_realloc(void* memory, size_t size) {
  if (!grant()) return nullptr;
  if (armed && memory != nullptr) --live;  // the old block goes, the new one comes
  return __real_realloc(memory, size);
}
void __wrap_free(void* memory) {
  if (memory != nullptr && armed) --live;
  __real_free(memory);
}
}

namespace {

void* new_or_throw(size_t size) {
  void* memory = __wrap_malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return new_or_throw(size); }
void* operator new[](size_t size) { return new_or_throw(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return __wrap_malloc(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return __wrap_malloc(size); }
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return __wrap_memalign(static_cast<size_t>(alignment), size);
}
void* operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return __wrap_memalign(static_cast<size_t>(alignment), size);
}
void operator delete(void* memory) noexcept { __wrap_free(memory); }
void operator delete[](void* memory) noexcept { __wrap_free(memory); }
void operator delete(void* memory, size_t) noexcept { __wrap_free(memory); }
void operator delete[](void* memory, size_t) noexcept { __wrap_free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { __wrap_free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { __wrap_free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { __wrap_free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { __wrap_free(memory); }

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

void run_and_count(const AlignedBytes& plan, int32_t threads) {
  const auto model = bantam::Model::from_memory(plan.data(), plan.size());
  REQUIRE(model);
  bantam_session_options options = session_options();
  options.threads = threads;
  auto session = model->create_session(options);
  REQUIRE(session);
  bool ok = true;
  {
    Armed counting(-1);
    for (int i = 0; i < 3; ++i) ok = ok && session->run().ok();
  }
  CHECK(ok);
  CHECK(allocations == 0);
}

TEST_CASE("a run of the real kernels allocates nothing") {
  for (const int32_t threads : {1, 2}) {
    run_and_count(SamplePlan().file(), threads);
    run_and_count(FloatPlan().file(), threads);
  }
}

void fail_each_allocation(const AlignedBytes& plan) {
  // What is initialized once per process stays.
  REQUIRE(bantam::Model::from_memory(plan.data(), plan.size())->create_session());
  for (int n = 0;; ++n) {
    bantam_status status = BANTAM_OK;
    {
      Armed counting(n);
      const auto model = bantam::Model::from_memory(plan.data(), plan.size());
      status = model ? model->create_session().status() : model.status();
    }
    INFO("allocation " << n);
    CHECK(live == 0);
    if (allocations <= n) {
      CHECK(status == BANTAM_OK);
      CHECK(n > 20);
      break;
    }
    CHECK(status == BANTAM_OUT_OF_MEMORY);
  }
}

// Each failure may spoil the cache but nothing else.
TEST_CASE("whichever allocation fails, a model with a cache works or says why not") {
  char directory[] = "/tmp/bantam_test_XXXXXX";
  REQUIRE(mkdtemp(directory) != nullptr);
  const AlignedBytes plan = SamplePlan().file();
  bantam_source from = source();
  from.data = plan.data();
  from.bytes = plan.size();
  from.cache = directory;
  const auto load = [&](int n) {
    Armed counting(n);
    const auto model = bantam::Model::open(from);
    return model ? model->create_session().status() : model.status();
  };
  for (const bool present : {false, true}) {
    for (int n = 0;; ++n) {
      std::filesystem::remove_all(directory);
      if (present) REQUIRE(load(-1) == BANTAM_OK);
      const bantam_status status = load(n);
      INFO("allocation " << n << ", file present: " << present);
      CHECK(live == 0);
      CHECK((status == BANTAM_OK || status == BANTAM_OUT_OF_MEMORY));
      if (allocations > n) continue;
      CHECK(status == BANTAM_OK);
      CHECK(n > 20);
      break;
    }
  }
  std::filesystem::remove_all(directory);
}

TEST_CASE("whichever allocation fails, the real kernels report it and leave nothing behind") {
  SECTION("int8") { fail_each_allocation(SamplePlan().file()); }
  SECTION("float32") { fail_each_allocation(FloatPlan().file()); }
}

}  // namespace
}  // namespace bantam::test
