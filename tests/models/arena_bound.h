#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bantam::tests {

// What a plan says it needs for tensors, and the largest sum of its tensors alive at one time: no arena can
// be smaller. Both in bytes.
struct ArenaNeed {
  uint64_t arena = 0;
  uint64_t bound = 0;
};
ArenaNeed arena_need(const std::vector<std::byte>& plan);

}  // namespace bantam::tests
