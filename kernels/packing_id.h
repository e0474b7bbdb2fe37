#pragma once

#include <cstdint>

namespace bantam::kernels {

// Differs wherever weights may be packed differently: by this library's version, its build of XNNPACK, and
// what XNNPACK and Highway choose their kernels by, the CPU's instruction sets and microarchitectures.
uint64_t packing_id();

}  // namespace bantam::kernels
