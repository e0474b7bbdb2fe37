// C API: sessions.
#include <cstddef>
#include <new>

#include "c_api_support.h"

namespace bantam::c_api {
namespace {

void call_hook(void* user, const OpEvent& event) {
  const auto* session = static_cast<const bantam_session*>(user);
  const LoadedPlan& loaded = session->session->model().loaded();
  bantam_tensor output = describe_tensor(loaded, loaded.tensor_index(event.output));
  output.data = const_cast<void*>(event.data);
  const bantam_tensor* outputs[] = {&output};
  bantam_op_event told = {};
  told.struct_size = sizeof(told);
  told.op = event.op;
  told.output_count = 1;
  told.name = loaded.op_name(event.op);
  told.code = op_code_name(*loaded.ops[static_cast<size_t>(event.op)].op);
  told.elapsed_ns = event.elapsed_ns;
  told.outputs = outputs;
  session->hook(session->hook_user, &told);
}

bantam_status get_port(const bantam_session* session, int32_t index, bool output, bantam_tensor* tensor,
                       bantam_error* error) {
  if (session == nullptr) return report(null_argument("session"), error);
  if (Status status = check_struct(tensor, "tensor"); !status.ok()) return report(status, error);
  const Session& from = *session->session;
  const LoadedPlan& loaded = from.model().loaded();
  const std::span<const int32_t> list = output ? loaded.outputs() : loaded.inputs();
  if (!in_range(index, static_cast<int32_t>(list.size())))
    return report(invalid("index", "it is out of range"), error);
  bantam_tensor value = describe_tensor(loaded, list[static_cast<size_t>(index)]);
  value.data = output ? from.output_data(index) : from.input_data(index);
  deliver(value, tensor);
  return report({}, error);
}

struct GoldenHashes {
  uint64_t* ops;
  uint64_t* outputs;
};

void keep_hash(void* user, GoldenKind kind, int32_t index, uint64_t hash) {
  const auto* hashes = static_cast<const GoldenHashes*>(user);
  (kind == GoldenKind::kOp ? hashes->ops : hashes->outputs)[index] = hash;
}

struct Comparison {
  const LoadedPlan& loaded;
  bantam_verification result;
};

void compare_hash(void* user, GoldenKind kind, int32_t index, uint64_t hash) {
  auto& [loaded, result] = *static_cast<Comparison*>(user);
  const auto i = static_cast<flatbuffers::uoffset_t>(index);
  if (kind == GoldenKind::kOutput) {
    const auto* golden = loaded.plan->golden_outputs();
    const uint64_t expected = golden == nullptr || golden->size() == 0 ? 0 : golden->Get(i);
    result.outputs_compared += expected != 0;
    result.outputs_different += expected != 0 && expected != hash;
    return;
  }
  const uint64_t expected = loaded.plan->ops()->Get(i)->golden();
  if (expected == 0) return;
  ++result.ops_compared;
  if (expected == hash) return;
  if (result.ops_different++ > 0) return;
  result.first_op = index;
  result.first_op_name = loaded.op_name(index);
  result.expected = expected;
  result.actual = hash;
}

}  // namespace
}  // namespace bantam::c_api

using namespace bantam;         // NOLINT: this file is the C face of that namespace
using namespace bantam::c_api;  // NOLINT

bantam_status bantam_session_create(bantam_model* model, const bantam_session_options* options,
                                    bantam_session** session, bantam_error* error) {
  if (model == nullptr) return report(null_argument("model"), error);
  if (session == nullptr) return report(null_argument("session"), error);
  *session = nullptr;
  SessionOptions chosen;
  if (options != nullptr) {
    if (Status status = check_struct(options, "options"); !status.ok()) return report(status, error);
    chosen.threads = options->threads == 0 ? 1 : options->threads;
    chosen.arena = options->arena;
    chosen.arena_bytes = options->arena_bytes;
  }
  auto* made = new (std::nothrow) bantam_session;
  if (made == nullptr)
    return report(Status(StatusCode::kOutOfMemory, "session", "no memory for the session"), error);
  const Status status = Session::create(unwrap(model), chosen, &made->session);
  if (!status.ok()) {
    delete made;
    return report(status, error);
  }
  *session = made;
  return report({}, error);
}

void bantam_session_destroy(bantam_session* session) {
  if (session == nullptr) return;
  delete session->session;
  delete session;
}

bantam_status bantam_session_get_input(const bantam_session* session, int32_t index, bantam_tensor* tensor,
                                       bantam_error* error) {
  return get_port(session, index, false, tensor, error);
}

bantam_status bantam_session_get_output(const bantam_session* session, int32_t index, bantam_tensor* tensor,
                                        bantam_error* error) {
  return get_port(session, index, true, tensor, error);
}

bantam_status bantam_session_bind_input(bantam_session* session, int32_t index, const void* data,
                                        size_t capacity, bantam_error* error) {
  if (session == nullptr) return report(null_argument("session"), error);
  if (!in_range(index, session->session->model().loaded().input_count())) {
    return report(invalid("index", "it is out of range"), error);
  }
  return report(session->session->bind_input(index, data, capacity), error);
}

bantam_status bantam_session_bind_output(bantam_session* session, int32_t index, void* data, size_t capacity,
                                         bantam_error* error) {
  if (session == nullptr) return report(null_argument("session"), error);
  if (!in_range(index, session->session->model().loaded().output_count())) {
    return report(invalid("index", "it is out of range"), error);
  }
  return report(session->session->bind_output(index, data, capacity), error);
}

bantam_status bantam_session_run(bantam_session* session, bantam_error* error) {
  if (session == nullptr) return report(null_argument("session"), error);
  return report(session->session->run(), error);
}

void bantam_session_cancel(bantam_session* session) {
  if (session != nullptr) session->session->cancel();
}

bantam_status bantam_session_set_hook(bantam_session* session, bantam_op_hook hook, void* user,
                                      bantam_error* error) {
  if (session == nullptr) return report(null_argument("session"), error);
  // Without a hook, so that no run on another thread can see half of the change.
  Status status = session->session->set_hook(nullptr, nullptr);
  if (status.ok() && hook != nullptr) {
    session->hook = hook;
    session->hook_user = user;
    status = session->session->set_hook(call_hook, session);
  }
  return report(status, error);
}

bantam_status bantam_session_golden(bantam_session* session, uint64_t* op_hashes, size_t op_count,
                                    uint64_t* output_hashes, size_t output_count, bantam_error* error) {
  if (session == nullptr) return report(null_argument("session"), error);
  const LoadedPlan& loaded = session->session->model().loaded();
  if (op_count != loaded.ops.size() || output_count != loaded.outputs().size()) {
    return report(invalid("count", "it is not that of the model"), error);
  }
  if (op_hashes == nullptr && op_count != 0) return report(null_argument("op_hashes"), error);
  if (output_hashes == nullptr) return report(null_argument("output_hashes"), error);
  GoldenHashes hashes = {op_hashes, output_hashes};
  return report(session->session->run_golden(keep_hash, &hashes), error);
}

bantam_status bantam_session_verify(bantam_session* session, bantam_verification* verification,
                                    bantam_error* error) {
  if (session == nullptr) return report(null_argument("session"), error);
  if (Status status = check_struct(verification, "verification"); !status.ok()) return report(status, error);
  Comparison comparison = {session->session->model().loaded(), {}};
  bantam_verification& result = comparison.result;
  result.first_op = -1;
  result.first_op_name = "";
  const Status status = session->session->run_golden(compare_hash, &comparison);
  if (!status.ok()) return report(status, error);
  result.matches = result.ops_compared + result.outputs_compared > 0 && result.ops_different == 0 &&
                   result.outputs_different == 0;
  deliver(result, verification);
  return report({}, error);
}

bantam_status bantam_session_get_memory(const bantam_session* session, bantam_memory* memory,
                                        bantam_error* error) {
  if (session == nullptr) return report(null_argument("session"), error);
  constexpr size_t kLeast = offsetof(bantam_memory, cached_bytes);
  if (Status status = check_struct(memory, "memory", kLeast); !status.ok()) return report(status, error);
  const SessionMemory used = session->session->memory();
  bantam_memory info = {};
  info.arena_bytes = used.arena;
  info.workspace_bytes = used.workspace;
  info.state_bytes = used.state;
  info.packed_bytes = session->session->model().packed_bytes();
  info.session_bytes = used.bookkeeping + sizeof(bantam_session);
  info.cached_bytes = session->session->model().cached_bytes();
  deliver(info, memory);
  return report({}, error);
}
