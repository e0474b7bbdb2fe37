// The contract between runtime and kernels. The runtime sees kernels only through a KernelTable that is
// handed to it, so tests can pass their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bantam/runtime/status.h"
#include "plan_format.h"
#include "plan_generated.h"

namespace bantam {

// A tensor as kernels see it: verified, dense row-major except for `pixel_stride`.
struct TensorInfo {
  plan::DType dtype = plan::DType::kFloat32;
  int32_t rank = 0;
  int32_t dims[kMaxRank] = {};
  int64_t elements = 1;           // product of dims
  size_t bytes = 0;               // from first to one past the last element, strides included
  int32_t pixel_stride = 1;       // elements between neighbouring innermost rows; dims[rank - 1] when dense
  const float* scales = nullptr;  // quantization: one, or one per output channel of constant weights
  int32_t scale_count = 0;
  int32_t zero_point = 0;
  const void* data = nullptr;  // constants: their bytes in the plan; otherwise null
  bool without_zeros = false;  // `data` is as zero_mask.h says; never so in a kernel's context
  size_t stored_bytes = 0;     // constants: of `data`

  float scale() const { return scales[0]; }
  bool quantized() const { return scale_count > 0; }
  bool dense() const { return rank == 0 || pixel_stride == dims[rank - 1]; }
};

size_t element_size(plan::DType dtype);

// Owned by the kernels; the runtime only carries them. See KernelTable.
struct ThreadPool;
struct PackedWeights;

// Weights of one op in the layout that this CPU's kernels want.
struct PackedEntry {
  int32_t op = 0;              // index in the plan
  int32_t part = 0;            // of the op's weights, when several kernels share them; else 0
  uint32_t seed = 0;           // says which layout it is
  const void* data = nullptr;  // aligned to kTensorAlignment, followed by kReadPadding bytes
  size_t bytes = 0;
};

// One op of a verified plan, for the kernel that will execute it.
struct OpContext {
  const plan::Op* op = nullptr;
  int32_t index = 0;                          // in the plan
  const TensorInfo* const* inputs = nullptr;  // null entries: optional inputs left out
  int32_t input_count = 0;
  const TensorInfo* const* outputs = nullptr;
  int32_t output_count = 0;
  PackedWeights* packed = nullptr;  // shared by the sessions of a model; thread-safe
  ThreadPool* threads = nullptr;    // null: one thread
  bool float16 = false;             // compute in float16, as KernelTable::computes_float16 said

  const TensorInfo& input(int32_t i) const { return *inputs[i]; }
  const TensorInfo& output(int32_t i = 0) const { return *outputs[i]; }
  bool has_input(int32_t i) const { return i < input_count && inputs[i] != nullptr; }
};

struct RunContext {
  const void* const* inputs = nullptr;  // constants included; null for optional inputs left out
  void* const* outputs = nullptr;
  void* workspace = nullptr;  // workspace_bytes() long, aligned to kTensorAlignment
  ThreadPool* threads = nullptr;
};

// An op made ready for one session: everything that can be decided and allocated is, so that run() does
// neither.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual Status run(const RunContext& context) = 0;
  virtual size_t workspace_bytes() const { return 0; }
  // Memory this kernel allocated for itself (indirection buffers and the like), in bytes, for the record.
  virtual size_t state_bytes() const { return 0; }
  // Whether making another kernel of this op with the same packed weights, or running one, reads the op's
  // constant operands behind the first. False when the packed weights serve in their place.
  virtual bool reads_constants() const { return true; }
};

struct KernelTable {
  // Makes the kernel of `context.op`. Errors: kUnsupported (no such kernel in this build, or not for these
  // dtypes), kOutOfMemory. The kernel is destroyed with `delete`.
  Status (*create)(const OpContext& context, Kernel** out);

  // Threads that every kernel of a session shares; count >= 1, of which the caller's thread is one.
  Status (*create_threads)(int32_t count, ThreadPool** out);
  void (*destroy_threads)(ThreadPool* threads);

  // A store for packed weights; filled by `create`.
  Status (*create_packed)(PackedWeights** out);
  void (*destroy_packed)(PackedWeights* packed);
  size_t (*packed_bytes)(const PackedWeights* packed);

  // The layouts are the same wherever this number is: it depends on this library's build and on the CPU.
  uint64_t (*packing_id)();
  // `create` uses these, packed earlier under the same packing_id, and packs only what is not among them.
  // They outlive `packed`.
  void (*lend_packed)(PackedWeights* packed, std::span<const PackedEntry> entries);
  // Copies what `create` has packed itself to `out`, as much as `capacity` allows, and gives the number there
  // is. The entries' data live as long as `packed`.
  size_t (*list_packed)(PackedWeights* packed, PackedEntry* out, size_t capacity);
  // Whether `create` has a kernel that computes this float32 op in float16 on this CPU, and whether that
  // pays. Where it does, `create` takes tensors of both types, in any combination. Null: nothing computes in
  // float16.
  bool (*computes_float16)(const OpContext& context) = nullptr;
};

}  // namespace bantam
