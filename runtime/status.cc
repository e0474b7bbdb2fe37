#include "bantam/runtime/status.h"

#include <cstring>

#include "bantam/runtime/kernel.h"

namespace bantam {

Status::Status(StatusCode code, const char* where, const char* what) : code_(code), what_(what) {
  if (where == nullptr) return;
  const size_t length = strnlen(where, sizeof(where_) - 1);
  std::memcpy(where_, where, length);
}

size_t element_size(plan::DType dtype) {
  switch (dtype) {
    case plan::DType::kFloat32:
    case plan::DType::kInt32:
      return 4;
    case plan::DType::kFloat16:
      return 2;
    case plan::DType::kInt64:
      return 8;
    case plan::DType::kInt8:
    case plan::DType::kUInt8:
    case plan::DType::kBool:
      return 1;
  }
  return 0;
}

}  // namespace bantam
