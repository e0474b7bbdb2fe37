// Errors as values. Nothing in the runtime throws, prints, aborts or allocates to report an error.
#pragma once

#include <cstdint>

namespace bantam {

// The values are those of bantam_status in bantam.h.
enum class StatusCode : int32_t {
  kOk = 0,
  kInvalidArgument = 1,  // the caller's mistake
  kInvalidPlan = 2,      // truncated, damaged or contradictory plan
  kUnsupported = 3,      // newer format, or a kernel that this build leaves out
  kOutOfMemory = 4,
  kIo = 5,    // a file cannot be opened, read or mapped
  kBusy = 6,  // the session is running on another thread
  kCancelled = 7,
  kInternal = 8,
};

// What happened (a static text) and where (a short copy: an op, tensor or file name). Ok when code is kOk.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, const char* where, const char* what);

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const char* where() const { return where_; }
  const char* what() const { return what_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  char where_[64] = {};
  const char* what_ = "";
};

inline Status ok_status() { return {}; }

#define BANTAM_RETURN_IF_ERROR(expression)                                      \
  do {                                                                          \
    if (::bantam::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

}  // namespace bantam
