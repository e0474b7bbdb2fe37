// The steps of load_plan, in their order. Each relies on those before it.
#pragma once

#include "bantam/runtime/loaded_plan.h"

namespace bantam::verify {

// Header, checksum and the structure of the metadata; sets plan and header.
Status verify_file(const std::byte* data, size_t bytes, bool sound, LoadedPlan* out);

// Every tensor by itself and within its base; sets tensors, places and arena_bytes.
Status verify_tensors(const std::byte* data, LoadedPlan* out);

// Indices, order of execution, every tensor written once; sets operands and ops.
Status verify_operands(LoadedPlan* out);

// Attributes, dtypes, shapes and quantization of every op.
Status verify_ops(const LoadedPlan& loaded);

// No two tensors that live at the same time overlap, and ops work in place only where they can.
Status verify_memory(const LoadedPlan& loaded);

// Inputs, outputs, preprocessing and golden hashes.
Status verify_metadata(const LoadedPlan& loaded);

// kInvalidPlan at a tensor or op: its name, or "tensor 3" and "op 3" when it has none. `what` must be static.
Status tensor_error(const LoadedPlan& loaded, size_t index, const char* what);
Status op_error(const LoadedPlan& loaded, size_t index, const char* what);

}  // namespace bantam::verify
