#pragma once

#include <cstddef>
#include <span>

#include "bantam/runtime/loaded_plan.h"
#include "bantam/runtime/weight_cache.h"

namespace bantam {

// Where in the plan's file the constants lie that the kernels (by op) do not read, now that packed weights
// serve in their place: `count` ranges, sorted and apart. False when memory is short.
bool unread_constants(const LoadedPlan& loaded, std::span<const std::byte> file,
                      std::span<Kernel* const> kernels, Array<CacheRange>* ranges, size_t* count);

}  // namespace bantam
