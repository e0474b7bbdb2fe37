#include "data/tensor.h"

#include <cmath>

#include "io/text.h"

namespace bantam::tools {

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
      break;
  }
  return 1;
}

const char* dtype_name(plan::DType dtype) {
  switch (dtype) {
    case plan::DType::kFloat32:
      return "float32";
    case plan::DType::kFloat16:
      return "float16";
    case plan::DType::kInt8:
      return "int8";
    case plan::DType::kUInt8:
      return "uint8";
    case plan::DType::kInt32:
      return "int32";
    case plan::DType::kInt64:
      return "int64";
    case plan::DType::kBool:
      return "bool";
  }
  return "unknown";
}

int64_t element_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  for (int64_t dim : shape) count *= dim;
  return count;
}

std::string type_text(plan::DType dtype, std::span<const int64_t> shape) {
  return std::string(dtype_name(dtype)) + "[" + (shape.empty() ? "" : shape_text(shape)) + "]";
}

int64_t first_non_finite(const Tensor& tensor) {
  if (tensor.dtype != plan::DType::kFloat32) return -1;
  std::span<const float> values = tensor.as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return static_cast<int64_t>(i);
  }
  return -1;
}

}  // namespace bantam::tools
