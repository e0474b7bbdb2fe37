#include "packing_id.h"

#include <cpuinfo.h>

#include "hash64.h"
#include "int8/highway_targets.h"

#include "hwy/targets.h"

namespace bantam::kernels {

namespace {

// Increase it when a kernel packs otherwise than before under the same seed.
constexpr uint32_t kLayouts = 1;

template <typename T>
void add(Hash64& hash, const T& value) {
  hash.update(&value, sizeof(value));
}

}  // namespace

uint64_t packing_id() {
  Hash64 hash;
  add(hash, kLayouts);
  hash.update(BANTAM_KERNELS_VERSION, sizeof(BANTAM_KERNELS_VERSION));
  add(hash, static_cast<int64_t>(HWY_TARGETS));
  add(hash, hwy::SupportedTargets());
  if (cpuinfo_initialize()) {
    add(hash, cpuinfo_isa);
    for (uint32_t i = 0; i < cpuinfo_get_uarchs_count(); ++i) add(hash, cpuinfo_get_uarch(i)->uarch);
  }
  return hash.finish();
}

}  // namespace bantam::kernels
