// How large the library becomes when it is built for some plan alone.
#pragma once

#include <cstddef>
#include <string>

#include "bantam/bantam.hpp"

namespace bantam::tools {

struct SelectiveSize {
  size_t bytes = 0;      // of the stripped shared library for 64-bit ARM, all instruction sets; 0: not known
  size_t all_bytes = 0;  // the same with every kernel
  std::string unmeasured;  // an op that makes it unknown
};

SelectiveSize selective_size(const Model& model);

}  // namespace bantam::tools
