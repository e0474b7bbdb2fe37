// int8 -> int8 by table, for the kernels that are such a table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

// A table of 256 bytes in the forms that the instruction sets want.
struct LookupTable {
  alignas(64) uint8_t bytes[256];   // indexed by the bits of x
  alignas(64) uint8_t deltas[256];  // see lookup_by_shuffles

  // A table of int8 x is indexed by x + 128, one of uint8 x by x.
  void init(const int8_t* table);
  void init(const uint8_t* table);
};

// x and y may be the same memory.
void lookup_bytes(const LookupTable& table, const uint8_t* x, uint8_t* y, size_t count);

// The kernel that applies `table`, indexed by x + 128, to the op's first input.
Status make_lookup(const OpContext& context, const int8_t* table, Kernel** out);

}  // namespace bantam::kernels
