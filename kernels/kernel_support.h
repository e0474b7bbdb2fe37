// What every kernel file needs: making kernels, reporting why not.
#pragma once

#include <new>
#include <utility>

#include "bantam/runtime/kernel.h"
#include "enum_names.h"

namespace bantam::kernels {

// `what` must be static.
inline Status op_error(const OpContext& context, StatusCode code, const char* what) {
  const auto* name = context.op->name();
  return Status(
      code, name == nullptr || name->size() == 0 ? plan::enum_name(context.op->code()) : name->c_str(), what);
}
inline Status unsupported(const OpContext& context, const char* what) {
  return op_error(context, StatusCode::kUnsupported, what);
}
inline Status out_of_memory(const OpContext& context) {
  return op_error(context, StatusCode::kOutOfMemory, "out of memory");
}

// Makes a K, a kernel class with `Status init(const OpContext&, ...)`.
template <typename K, typename... Args>
Status make_kernel(const OpContext& context, Kernel** out, const Args&... args) {
  K* kernel = new (std::nothrow) K;
  if (kernel == nullptr) return out_of_memory(context);
  if (Status status = kernel->init(context, args...); !status.ok()) {
    delete kernel;
    return status;
  }
  *out = kernel;
  return ok_status();
}

template <typename T>
const T* input_as(const RunContext& context, int32_t i) {
  return static_cast<const T*>(context.inputs[i]);
}
template <typename T>
T* output_as(const RunContext& context, int32_t i = 0) {
  return static_cast<T*>(context.outputs[i]);
}

}  // namespace bantam::kernels
