// One thread's execution of a model: arena, kernels, workspace, threads. Everything is allocated and decided
// when the session is made; a run only executes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "bantam/runtime/array.h"
#include "bantam/runtime/model.h"

namespace bantam {

struct SessionOptions {
  int32_t threads = 1;     // the caller's included
  void* arena = nullptr;   // caller's memory, aligned to kTensorAlignment; null: the session's own
  size_t arena_bytes = 0;  // of `arena`, at least LoadedPlan::arena_bytes
};

struct SessionMemory {
  size_t arena = 0, workspace = 0, state = 0, bookkeeping = 0;  // bytes
};

// An op that has just run.
struct OpEvent {
  int32_t op = 0;
  const TensorInfo* output = nullptr;
  const void* data = nullptr;  // of the output
  uint64_t elapsed_ns = 0;
};
using OpHook = void (*)(void* user, const OpEvent& event);

// What the golden input gives: of op `index`, or of output `index` of the plan.
enum class GoldenKind { kOp, kOutput };
using GoldenVisitor = void (*)(void* user, GoldenKind kind, int32_t index, uint64_t hash);

class Session {
 public:
  static Status create(Model* model, const SessionOptions& options, Session** out);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Model& model() const { return *model_; }

  // Where the next run reads or writes; see bantam.h for binding.
  void* input_data(int32_t index) const;
  void* output_data(int32_t index) const;
  Status bind_input(int32_t index, const void* data, size_t capacity);
  Status bind_output(int32_t index, void* data, size_t capacity);

  Status set_hook(OpHook hook, void* user);
  Status run();
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  // Runs the golden input in the session's own memory and reports every hash.
  Status run_golden(GoldenVisitor visit, void* user);

  SessionMemory memory() const;

 private:
  // An input or output of the plan.
  struct Port {
    int32_t tensor = 0;
    bool bindable = false;       // its memory may be the caller's
    bool needs_padding = false;  // kernels read from it
    void* bound = nullptr;       // the caller's buffer
    bool direct = false;         // kernels use `bound` itself; otherwise it is copied
  };
  // What an op is told of its weights when the plan has them without zeros.
  struct WholeWeights {
    bool put_zeros_back(const OpContext& op);  // into `data`; false: the plan's bytes are not sound

    TensorInfo info;
    const TensorInfo* inputs[3] = {};
    std::byte* data = nullptr;  // null once the kernel has packed them
  };
  class Hold;

  explicit Session(Model* model);
  Status init(const SessionOptions& options);
  Status make_arena(const SessionOptions& options);
  Status make_kernels();
  Status make_kernel(OpContext context, size_t op);
  Status make_workspace();
  void describe_ports();
  Status bind(Port* port, const char* where, void* data, size_t capacity);
  void resolve(bool with_bindings);
  void* address(int32_t tensor, const Array<std::byte*>& roots) const;
  template <typename AfterOp>
  Status execute(AfterOp after_op);
  Status run_ops();
  const TensorInfo& info(int32_t tensor) const {
    return model_->loaded().tensors[static_cast<size_t>(tensor)];
  }

  Model* model_;
  ThreadPool* threads_ = nullptr;
  Array<Kernel*> kernels_;      // by op
  Array<RunContext> contexts_;  // by op, pointing into addresses_
  Array<WholeWeights> whole_;   // by op; empty when none lacks zeros
  Array<void*> addresses_;      // by operand, in the order of LoadedPlan::operands
  Array<std::byte*> roots_;     // by tensor, for roots: where they live
  Array<Port> inputs_;
  Array<Port> outputs_;
  std::byte* arena_ = nullptr;
  std::byte* own_arena_ = nullptr;
  std::byte* workspace_ = nullptr;
  size_t workspace_bytes_ = 0;
  OpHook hook_ = nullptr;
  void* hook_user_ = nullptr;
  std::atomic<bool> busy_{false};
  std::atomic<bool> cancelled_{false};
};

}  // namespace bantam
