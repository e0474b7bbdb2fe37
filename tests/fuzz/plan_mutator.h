#pragma once

#include <cstddef>
#include <cstdint>

namespace bantam::tests {

// libFuzzer's LLVMFuzzerCustomMutator for plan files: changes fields of the metadata, mostly to values that
// come near to a sound plan, and puts header and checksum right. What is no plan is changed as bytes. Gives
// the new size.
size_t mutate_plan(uint8_t* data, size_t size, size_t max_size, unsigned seed);

}  // namespace bantam::tests
