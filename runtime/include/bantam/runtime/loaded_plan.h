// A verified plan with what the runtime derives from it once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bantam/runtime/array.h"
#include "bantam/runtime/kernel.h"

namespace bantam {

// Where a tensor of the arena lives. A root owns its memory; a view shares its root's.
struct TensorPlace {
  int32_t root = -1;  // index of the root, itself for roots; -1: a constant
  size_t offset = 0;  // bytes from the root's first byte
  size_t arena = 0;   // bytes from the arena's first byte
};

struct LoadedPlan {
  const plan::Plan* plan = nullptr;
  PlanHeader header = {};
  Array<TensorInfo> tensors;          // by tensor index
  Array<TensorPlace> places;          // by tensor index
  Array<const TensorInfo*> operands;  // inputs and outputs of all ops, one after the other
  Array<OpContext> ops;               // pointing into `operands`; neither packed weights nor threads yet
  size_t arena_bytes = 0;             // read padding included

  std::span<const int32_t> inputs() const { return indices(plan->inputs()); }
  std::span<const int32_t> outputs() const { return indices(plan->outputs()); }
  int32_t input_count() const { return static_cast<int32_t>(inputs().size()); }
  int32_t output_count() const { return static_cast<int32_t>(outputs().size()); }
  int32_t op_count() const { return static_cast<int32_t>(ops.size()); }
  int32_t tensor_index(const TensorInfo* tensor) const {
    return static_cast<int32_t>(tensor - tensors.data());
  }
  const char* tensor_name(int32_t index) const;  // "" when it has none
  const char* op_name(int32_t index) const;      // "" when it has none

 private:
  // A writer may leave out an empty vector.
  static std::span<const int32_t> indices(const flatbuffers::Vector<int32_t>* vector) {
    return vector == nullptr ? std::span<const int32_t>() : std::span(vector->data(), vector->size());
  }
};

// Verifies the plan file in [data, data + bytes), which must be aligned to kTensorAlignment and outlive
// `out`: header, checksum, structure, then every meaning that kernels and sessions rely on. After this
// nothing is checked again. Errors: kInvalidPlan, kUnsupported (format version), kOutOfMemory.
// `sound`: the checksum is known to be right, so that the weights need not be read for it.
Status load_plan(const std::byte* data, size_t bytes, LoadedPlan* out, bool sound = false);

// Where `kernels` compute ops in float16: says so in these ops, and makes the tensors that are marked for it
// float16, in the places that they have.
void choose_float16(const KernelTable& kernels, LoadedPlan* loaded);

}  // namespace bantam
