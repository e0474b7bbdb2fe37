#include "bantam/runtime/session.h"

#include <cstring>
#include <ctime>
#include <new>

#include "hash64.h"
#include "zero_mask.h"

namespace bantam {
namespace {

constexpr std::align_val_t kAlignment{kTensorAlignment};
constexpr int32_t kMostThreads = 1024;

// As std::chrono's steady clock, without the C++ runtime library.
uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

std::byte* allocate_aligned(size_t bytes) {
  return static_cast<std::byte*>(::operator new(bytes, kAlignment, std::nothrow));
}

void free_aligned(std::byte* bytes) {
  if (bytes != nullptr) ::operator delete(bytes, kAlignment);
}

bool lacks_zeros(const OpContext& op) { return op.has_input(1) && op.input(1).without_zeros; }

constexpr const char* kNoMemory = "no memory for the session";

Status out_of_memory(const char* what) { return Status(StatusCode::kOutOfMemory, "session", what); }

bool aligned_to(const void* data, size_t alignment) {
  return reinterpret_cast<uintptr_t>(data) % alignment == 0;
}

uint64_t hash_of(const TensorInfo& info, const void* data) {
  if (info.dense()) return hash64(data, info.bytes);
  Hash64 hash;
  const size_t element = element_size(info.dtype);
  const auto row = static_cast<size_t>(info.dims[info.rank - 1]);
  const auto* bytes = static_cast<const std::byte*>(data);
  for (size_t begin = 0; begin < info.bytes; begin += static_cast<size_t>(info.pixel_stride) * element) {
    hash.update(bytes + begin, row * element);
  }
  return hash.finish();
}

}  // namespace

// Keeps other threads out of a session for a while; `ok()` is false when one is in.
class Session::Hold {
 public:
  explicit Hold(Session* session)
      : session_(*session), ok_(!session->busy_.exchange(true, std::memory_order_acquire)) {}
  ~Hold() {
    if (ok_) session_.busy_.store(false, std::memory_order_release);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  Status status() const {
    return ok_ ? ok_status() : Status(StatusCode::kBusy, "session", "it is in use on another thread");
  }

 private:
  Session& session_;
  const bool ok_;
};

Session::Session(Model* model) : model_(model) { model_->retain(); }

Session::~Session() {
  for (Kernel* kernel : kernels_) delete kernel;
  if (threads_ != nullptr) model_->kernels().destroy_threads(threads_);
  for (const WholeWeights& whole : whole_) free_aligned(whole.data);
  free_aligned(own_arena_);
  free_aligned(workspace_);
  model_->release();
}

Status Session::create(Model* model, const SessionOptions& options, Session** out) {
  if (options.threads < 1 || options.threads > kMostThreads) {
    return Status(StatusCode::kInvalidArgument, "threads", "their number is out of range");
  }
  Session* session = new (std::nothrow) Session(model);
  if (session == nullptr) return out_of_memory(kNoMemory);
  Status status = session->init(options);
  if (!status.ok()) {
    delete session;
    return status;
  }
  model->keep_packed({session->kernels_.data(), session->kernels_.size()});
  model->release_weight_pages();
  *out = session;
  return status;
}

Status Session::init(const SessionOptions& options) {
  const LoadedPlan& loaded = model_->loaded();
  BANTAM_RETURN_IF_ERROR(model_->check_intact());
  if (!contexts_.allocate(loaded.ops.size()) || !addresses_.allocate(loaded.operands.size()) ||
      !roots_.allocate(loaded.tensors.size()) || !kernels_.allocate(loaded.ops.size()) ||
      !inputs_.allocate(loaded.inputs().size()) || !outputs_.allocate(loaded.outputs().size())) {
    return out_of_memory(kNoMemory);
  }
  BANTAM_RETURN_IF_ERROR(make_arena(options));
  if (options.threads > 1)
    BANTAM_RETURN_IF_ERROR(model_->kernels().create_threads(options.threads, &threads_));
  BANTAM_RETURN_IF_ERROR(make_kernels());
  BANTAM_RETURN_IF_ERROR(make_workspace());
  describe_ports();
  resolve(true);
  return ok_status();
}

Status Session::make_arena(const SessionOptions& options) {
  const size_t bytes = model_->loaded().arena_bytes;
  if (options.arena == nullptr) {
    own_arena_ = allocate_aligned(bytes);
    if (own_arena_ == nullptr) return out_of_memory("no memory for the arena");
    arena_ = own_arena_;
    return ok_status();
  }
  if (options.arena_bytes < bytes) return Status(StatusCode::kInvalidArgument, "arena", "it is too small");
  if (!aligned_to(options.arena, kTensorAlignment)) {
    return Status(StatusCode::kInvalidArgument, "arena", "it is not aligned to 64 bytes");
  }
  arena_ = static_cast<std::byte*>(options.arena);
  return ok_status();
}

Status Session::make_kernels() {
  for (size_t i = 0; i < kernels_.size(); ++i) {
    OpContext context = model_->loaded().ops[i];
    context.packed = model_->packed();
    context.threads = threads_;
    BANTAM_RETURN_IF_ERROR(make_kernel(context, i));
  }
  return ok_status();
}

// Weights that lack their zeros get them back for as long as the kernel needs them, one op at a time.
Status Session::make_kernel(OpContext context, size_t op) {
  const bool lacks = lacks_zeros(context);
  if (lacks) {
    if (whole_.size() == 0 && !whole_.allocate(kernels_.size())) return out_of_memory(kNoMemory);
    WholeWeights& whole = whole_[op];
    whole.data = allocate_aligned(context.input(1).bytes + kReadPadding);
    if (whole.data == nullptr) return out_of_memory(kNoMemory);
    if (!whole.put_zeros_back(context))
      return Status(StatusCode::kInvalidPlan, model_->loaded().op_name(context.index),
                    "its mask of zeros is damaged");
    context.inputs = whole.inputs;
  }
  BANTAM_RETURN_IF_ERROR(model_->kernels().create(context, &kernels_[op]));
  if (lacks && !kernels_[op]->reads_constants()) {
    free_aligned(whole_[op].data);
    whole_[op].data = nullptr;
  }
  return ok_status();
}

bool Session::WholeWeights::put_zeros_back(const OpContext& op) {
  for (int32_t i = 0; i < op.input_count; ++i) inputs[i] = op.inputs[i];
  inputs[1] = &info;
  info = op.input(1);
  std::memset(data, 0, info.bytes + kReadPadding);
  const bool sound =
      bantam::put_zeros_back(static_cast<const std::byte*>(info.data), info.stored_bytes,
                             static_cast<uint64_t>(info.elements), element_size(info.dtype), data);
  info.data = data;
  info.without_zeros = false;
  info.stored_bytes = info.bytes;
  return sound;
}

Status Session::make_workspace() {
  for (const Kernel* kernel : kernels_) {
    const size_t bytes = kernel->workspace_bytes();
    if (bytes > workspace_bytes_) workspace_bytes_ = bytes;
  }
  if (workspace_bytes_ == 0) return ok_status();
  workspace_ = allocate_aligned(workspace_bytes_);
  return workspace_ != nullptr ? ok_status() : out_of_memory("no memory for the workspace");
}

void Session::describe_ports() {
  const LoadedPlan& loaded = model_->loaded();
  const auto root_of = [&](const TensorInfo* tensor) {
    return loaded.places[static_cast<size_t>(loaded.tensor_index(tensor))].root;
  };
  for (size_t i = 0; i < inputs_.size(); ++i) {
    Port& port = inputs_[i];
    port.tensor = loaded.inputs()[i];
    port.bindable = true;
    port.needs_padding = true;
    for (const OpContext& op : loaded.ops) port.bindable &= root_of(op.outputs[0]) != port.tensor;
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    Port& port = outputs_[i];
    port.tensor = loaded.outputs()[i];
    port.bindable = root_of(&info(port.tensor)) == port.tensor;
    for (const Port& input : inputs_) port.bindable &= input.tensor != port.tensor;
    // An output listed twice keeps its memory.
    for (size_t k = 0; k < outputs_.size(); ++k) {
      port.bindable &= k == i || loaded.outputs()[k] != port.tensor;
    }
    for (const OpContext& op : loaded.ops) {
      for (int32_t k = 0; k < op.input_count; ++k) {
        port.needs_padding |= op.has_input(k) && root_of(op.inputs[k]) == port.tensor;
      }
    }
  }
}

void* Session::address(int32_t tensor, const Array<std::byte*>& roots) const {
  const TensorPlace& place = model_->loaded().places[static_cast<size_t>(tensor)];
  if (place.root < 0) return const_cast<void*>(info(tensor).data);
  return roots[static_cast<size_t>(place.root)] + place.offset;
}

void Session::resolve(bool with_bindings) {
  const LoadedPlan& loaded = model_->loaded();
  for (size_t i = 0; i < roots_.size(); ++i) roots_[i] = arena_ + loaded.places[i].arena;
  for (const Array<Port>* ports : {&inputs_, &outputs_}) {
    for (const Port& port : *ports) {
      if (with_bindings && port.direct)
        roots_[static_cast<size_t>(port.tensor)] = static_cast<std::byte*>(port.bound);
    }
  }
  for (size_t i = 0; i < addresses_.size(); ++i) {
    const TensorInfo* operand = loaded.operands[i];
    addresses_[i] = operand == nullptr ? nullptr : address(loaded.tensor_index(operand), roots_);
  }
  for (size_t i = 0; i < contexts_.size(); ++i) {
    const OpContext& op = loaded.ops[i];
    RunContext& context = contexts_[i];
    if (lacks_zeros(op))
      addresses_[static_cast<size_t>(op.inputs + 1 - loaded.operands.data())] = whole_[i].data;
    context.inputs = addresses_.data() + (op.inputs - loaded.operands.data());
    context.outputs = addresses_.data() + (op.outputs - loaded.operands.data());
    context.workspace = workspace_;
    context.threads = threads_;
  }
}

void* Session::input_data(int32_t index) const {
  const Port& port = inputs_[static_cast<size_t>(index)];
  return port.bound != nullptr ? port.bound : address(port.tensor, roots_);
}

void* Session::output_data(int32_t index) const {
  const Port& port = outputs_[static_cast<size_t>(index)];
  return port.bound != nullptr ? port.bound : address(port.tensor, roots_);
}

Status Session::bind_input(int32_t index, const void* data, size_t capacity) {
  return bind(&inputs_[static_cast<size_t>(index)], "input", const_cast<void*>(data), capacity);
}

Status Session::bind_output(int32_t index, void* data, size_t capacity) {
  return bind(&outputs_[static_cast<size_t>(index)], "output", data, capacity);
}

Status Session::bind(Port* port, const char* where, void* data, size_t capacity) {
  const TensorInfo& tensor = info(port->tensor);
  if (data != nullptr && capacity < tensor.bytes) {
    return Status(StatusCode::kInvalidArgument, where, "the buffer is too small");
  }
  Hold hold(this);
  BANTAM_RETURN_IF_ERROR(hold.status());
  const size_t needed = tensor.bytes + (port->needs_padding ? kReadPadding : 0);
  port->bound = data;
  port->direct =
      data != nullptr && port->bindable && capacity >= needed && aligned_to(data, element_size(tensor.dtype));
  resolve(true);
  return ok_status();
}

Status Session::set_hook(OpHook hook, void* user) {
  Hold hold(this);
  BANTAM_RETURN_IF_ERROR(hold.status());
  hook_ = hook;
  hook_user_ = user;
  return ok_status();
}

template <typename AfterOp>
Status Session::execute(AfterOp after_op) {
  cancelled_.store(false, std::memory_order_relaxed);
  BANTAM_RETURN_IF_ERROR(model_->check_intact());
  for (size_t i = 0; i < kernels_.size(); ++i) {
    if (cancelled_.load(std::memory_order_relaxed)) {
      return Status(StatusCode::kCancelled, model_->loaded().op_name(static_cast<int32_t>(i)),
                    "the run was cancelled");
    }
    BANTAM_RETURN_IF_ERROR(kernels_[i]->run(contexts_[i]));
    after_op(static_cast<int32_t>(i));
  }
  return ok_status();
}

Status Session::run_ops() {
  if (hook_ == nullptr) return execute([](int32_t) {});
  uint64_t begin = monotonic_ns();
  return execute([&](int32_t op) {
    const uint64_t elapsed = monotonic_ns() - begin;
    const auto i = static_cast<size_t>(op);
    hook_(hook_user_, {op, model_->loaded().ops[i].outputs[0], contexts_[i].outputs[0], elapsed});
    begin = monotonic_ns();
  });
}

Status Session::run() {
  Hold hold(this);
  BANTAM_RETURN_IF_ERROR(hold.status());
  for (const Port& port : inputs_) {
    if (port.bound == nullptr || port.direct) continue;
    std::memcpy(address(port.tensor, roots_), port.bound, info(port.tensor).bytes);
  }
  BANTAM_RETURN_IF_ERROR(run_ops());
  for (const Port& port : outputs_) {
    if (port.bound == nullptr || port.direct) continue;
    std::memcpy(port.bound, address(port.tensor, roots_), info(port.tensor).bytes);
  }
  return ok_status();
}

Status Session::run_golden(GoldenVisitor visit, void* user) {
  Hold hold(this);
  BANTAM_RETURN_IF_ERROR(hold.status());
  resolve(false);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const auto index = static_cast<int32_t>(i);
    const TensorInfo& tensor = info(inputs_[i].tensor);
    fill_golden_input(index, tensor.dtype, tensor.elements, model_->golden_range(index),
                      address(inputs_[i].tensor, roots_));
  }
  const Status status = execute([&](int32_t op) {
    const auto i = static_cast<size_t>(op);
    visit(user, GoldenKind::kOp, op, hash_of(*model_->loaded().ops[i].outputs[0], contexts_[i].outputs[0]));
  });
  for (size_t i = 0; status.ok() && i < outputs_.size(); ++i) {
    const int32_t tensor = outputs_[i].tensor;
    visit(user, GoldenKind::kOutput, static_cast<int32_t>(i), hash_of(info(tensor), address(tensor, roots_)));
  }
  resolve(true);
  return status;
}

SessionMemory Session::memory() const {
  SessionMemory memory;
  memory.arena = model_->loaded().arena_bytes;
  memory.workspace = workspace_bytes_;
  for (const WholeWeights& whole : whole_) memory.state += whole.data == nullptr ? 0 : whole.info.bytes;
  for (const Kernel* kernel : kernels_) memory.state += kernel->state_bytes();
  memory.bookkeeping = sizeof(Session) + kernels_.size_bytes() + contexts_.size_bytes() +
                       whole_.size_bytes() + addresses_.size_bytes() + roots_.size_bytes() +
                       inputs_.size_bytes() + outputs_.size_bytes();
  return memory;
}

}  // namespace bantam
