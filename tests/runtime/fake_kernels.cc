#include "fake_kernels.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "bantam/runtime/array.h"

namespace bantam {

struct ThreadPool {
  int32_t count = 0;
};
struct PackedWeights {
  std::span<const PackedEntry> lent;
  PackedEntry own;
  std::unique_ptr<std::byte[]> memory;
};

}  // namespace bantam

namespace bantam::test {
namespace {

// Sums all bytes of a tensor and its read padding.
unsigned touch(const TensorInfo& info, const void* data) {
  unsigned sum = 0;
  const auto* bytes = static_cast<const volatile unsigned char*>(data);
  for (size_t i = 0; i < info.bytes + kReadPadding; ++i) sum += bytes[i];
  return sum;
}

class FakeKernel final : public Kernel {
 public:
  bool init(const OpContext& context) {
    context_ = context;
    return state_.allocate(16) && (context.op->code() != plan::OpCode::kConv2d || pack());
  }
  ~FakeKernel() override { --fake_behavior().alive; }

  Status run(const RunContext& context) override {
    if (fake_behavior().before_run != nullptr) fake_behavior().before_run(fake_behavior().user);
    if (fake_behavior().workspace != 0) std::memset(context.workspace, 1, fake_behavior().workspace);
    for (int32_t i = 0; i < context_.input_count; ++i) {
      if (context_.has_input(i) && context.inputs[i] != nullptr)
        touched_ = touched_ + touch(context_.input(i), context.inputs[i]);
    }
    const TensorInfo& y = context_.output();
    if (y.dtype == plan::DType::kFloat32) {
      add(context);
    } else if (y.dense()) {
      std::memset(context.outputs[0], 7, y.bytes);
    }
    return ok_status();
  }
  size_t workspace_bytes() const override { return fake_behavior().workspace; }
  size_t state_bytes() const override { return state_.size(); }
  bool reads_constants() const override { return context_.op->code() != plan::OpCode::kConv2d; }

 private:
  bool pack() {
    PackedWeights& store = *context_.packed;
    const TensorInfo& w = context_.input(1);
    for (const PackedEntry& entry : store.lent) {
      if (entry.op != context_.index || entry.part != 1 || entry.seed != 7) continue;
      touched_ = touched_ + touch(w, entry.data);
      return entry.bytes == w.bytes;
    }
    if (store.memory != nullptr) return true;
    store.memory.reset(new (std::nothrow) std::byte[w.bytes]);
    if (store.memory == nullptr) return false;
    std::memcpy(store.memory.get(), w.data, w.bytes);
    store.own = {context_.index, 1, 7, store.memory.get(), w.bytes};
    ++fake_behavior().packed;
    return true;
  }

  static size_t place(const TensorInfo& info, int64_t element) {
    if (info.rank == 0) return 0;
    const int64_t row = info.dims[info.rank - 1];
    return static_cast<size_t>(element / row * info.pixel_stride + element % row);
  }

  void add(const RunContext& context) {
    const TensorInfo& y = context_.output();
    for (int64_t i = 0; i < y.elements; ++i) {
      float sum = 1;
      for (int32_t k = 0; k < context_.input_count; ++k) {
        if (!context_.has_input(k) || context_.input(k).dtype != plan::DType::kFloat32) continue;
        const TensorInfo& x = context_.input(k);
        sum += static_cast<const float*>(context.inputs[k])[place(x, i % x.elements)];
      }
      static_cast<float*>(context.outputs[0])[place(y, i)] = sum;
    }
  }

  OpContext context_;
  Array<char> state_;
  volatile unsigned touched_ = 0;
};

Status create(const OpContext& context, Kernel** out) {
  FakeBehavior& behavior = fake_behavior();
  if (behavior.created++ == behavior.fail_op)
    return Status(StatusCode::kUnsupported, "fake", "no such kernel");
  auto* kernel = new (std::nothrow) FakeKernel;
  if (kernel == nullptr) return Status(StatusCode::kOutOfMemory, "fake", "out of memory");
  ++behavior.alive;
  if (!kernel->init(context)) {
    delete kernel;
    return Status(StatusCode::kOutOfMemory, "fake", "out of memory");
  }
  *out = kernel;
  return ok_status();
}

template <typename T>
Status make(T** out) {
  *out = new (std::nothrow) T;
  if (*out == nullptr) return Status(StatusCode::kOutOfMemory, "fake", "out of memory");
  ++fake_behavior().alive;
  return ok_status();
}

template <typename T>
void destroy(T* made) {
  --fake_behavior().alive;
  delete made;
}

constexpr KernelTable kFakes = {
    create,
    [](int32_t, ThreadPool** out) { return make(out); },
    destroy<ThreadPool>,
    make<PackedWeights>,
    destroy<PackedWeights>,
    [](const PackedWeights* packed) { return packed->own.bytes; },
    [] { return fake_behavior().packing_id; },
    [](PackedWeights* packed, std::span<const PackedEntry> entries) { packed->lent = entries; },
    [](PackedWeights* packed, PackedEntry* out, size_t capacity) {
      const size_t count = packed->memory != nullptr;
      if (capacity > 0) std::copy_n(&packed->own, count, out);
      return count;
    },
};

}  // namespace

FakeBehavior& fake_behavior() {
  static FakeBehavior behavior;
  return behavior;
}

const KernelTable& fake_kernels() { return kFakes; }

}  // namespace bantam::test
