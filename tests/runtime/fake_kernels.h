// Kernels for tests of the runtime. They touch every byte they may, so that sanitizers see a wrong size or
// place, and compute something simple: an output element is 1 + the sum of the float elements at the same
// place, modulo the length of each input. Those of convolutions pack their weights: into the same bytes.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::test {

// What the fakes do besides; for the test that runs, reset by its fixture.
struct FakeBehavior {
  int32_t fail_op = -1;                      // the kernel that cannot be created, by order of creation
  void (*before_run)(void* user) = nullptr;  // called by every kernel
  void* user = nullptr;
  size_t workspace = 100;
  int32_t created = 0;  // kernels so far
  int32_t alive = 0;    // kernels, pools and stores not destroyed
  uint64_t packing_id = 1;
  int32_t packed = 0;  // how often weights were packed
};
FakeBehavior& fake_behavior();

const KernelTable& fake_kernels();

}  // namespace bantam::test
