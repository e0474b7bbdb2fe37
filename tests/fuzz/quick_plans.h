// Bounds what a fuzz target runs: a plan may ask for honest but endless work.
#pragma once

#include <cstdint>

#include "bantam/bantam.hpp"

namespace bantam::tests {

inline double elements(const bantam_tensor& tensor) {
  double count = 1;
  for (int i = 0; i < tensor.rank; ++i) count *= tensor.dims[i];
  return count;
}

// Whether a run is done at once. Every element of an op's inputs read once per element of its output: that
// bounds the work of every op from above.
inline bool quickly_done(const Model& model) {
  constexpr uint64_t kMaxArena = 1 << 20;
  constexpr double kMaxWork = 1 << 26;
  const bantam_model_info info = model.info();
  if (info.arena_bytes > kMaxArena) return false;
  double work = 0;
  for (int op = 0; op < info.op_count; ++op) {
    const bantam_op_info about = model.op(op);
    double read = 1;
    for (int i = 0; i < about.input_count; ++i) read += elements(model.op_input(op, i));
    work += read * elements(model.op_output(op, 0));
  }
  return work <= kMaxWork;
}

}  // namespace bantam::tests
