// What decides how long an op of a plan takes on a given machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bantam::tools {

struct OpSignature {
  std::string text;    // op, types of all that it reads and writes, and attributes: ops with equal text take
                       // equally long
  std::string family;  // op and data type: among its like, time goes with work
  uint64_t macs = 0;   // with output channels rounded up to the 16 that kernels compute together
  uint64_t bytes = 0;  // read and written, constants included
  uint64_t outputs = 0;  // elements, rounded up likewise
};

// By op, in execution order. `plan` is a verified plan file.
std::vector<OpSignature> op_signatures(std::span<const std::byte> plan);

}  // namespace bantam::tools
