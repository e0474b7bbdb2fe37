#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/plan.h"

namespace bantam::tools {

// Inputs bound to a session, with the same pseudo-random values in every process: floats in -1..1, pixels
// 0..255, zeros for indices and flags. The session must not run without them.
class BenchInputs {
 public:
  BenchInputs(const Model& model, Session& session, const std::string& where);

 private:
  std::vector<AlignedMemory> buffers_;
};

uint64_t peak_memory_bytes();       // the most this process has held in memory
uint64_t anonymous_memory_bytes();  // what it holds now that is no file's; 0 where the system does not say

double quantile(const std::vector<double>& sorted,
                double share);  // by the nearest rank; `sorted` is not empty

}  // namespace bantam::tools
