// What the files of the C API share: opaque types, error texts, growing structs.
#pragma once

#include <algorithm>
#include <cstring>

#include "bantam/bantam.h"
#include "bantam/runtime/session.h"

// struct bantam_model is never defined: a bantam_model* is a bantam::Model*.

struct bantam_session {
  bantam::Session* session = nullptr;
  bantam_op_hook hook = nullptr;
  void* hook_user = nullptr;
};

namespace bantam::c_api {

inline Model* unwrap(bantam_model* model) { return reinterpret_cast<Model*>(model); }
inline const Model* unwrap(const bantam_model* model) { return reinterpret_cast<const Model*>(model); }
inline bantam_model* wrap(Model* model) { return reinterpret_cast<bantam_model*>(model); }

// Fills `error`, when there is one, and gives the code.
bantam_status report(const Status& status, bantam_error* error);

inline Status invalid(const char* where, const char* what) {
  return Status(StatusCode::kInvalidArgument, where, what);
}
inline Status null_argument(const char* where) { return invalid(where, "it is null"); }

// Larger ones are uninitialized memory, not structs of the future.
inline constexpr size_t kMostStructBytes = 4096;

// Whether the caller's struct is there and its struct_size plausible: at least what it was when it was new.
template <typename Struct>
Status check_struct(const Struct* given, const char* where, size_t least = sizeof(Struct)) {
  if (given == nullptr) return null_argument(where);
  if (given->struct_size < least || given->struct_size > kMostStructBytes) {
    return invalid(where, "its struct_size is wrong");
  }
  return ok_status();
}

// Gives `value` to the caller, whose struct may be of an older version; in a larger one zeros follow.
template <typename Struct>
void deliver(Struct value, Struct* out) {
  const size_t given = out->struct_size;
  const size_t common = std::min(given, sizeof(Struct));
  value.struct_size = given;
  std::memcpy(out, &value, common);
  std::memset(reinterpret_cast<char*>(out) + common, 0, given - common);
}

inline const char* text(const flatbuffers::String* string) {
  return string == nullptr ? "" : string->c_str();
}

inline bool in_range(int32_t index, int32_t count) { return index >= 0 && index < count; }

// A tensor of the plan, without data unless constant. -1: an optional input left out.
bantam_tensor describe_tensor(const LoadedPlan& loaded, int32_t index);

const char* op_code_name(const plan::Op& op);

}  // namespace bantam::c_api
