#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plan_generated.h"

namespace bantam::tools {

// Dense, row-major.
struct Tensor {
  plan::DType dtype = plan::DType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

size_t element_size(plan::DType dtype);
const char* dtype_name(plan::DType dtype);  // "float32"
int64_t element_count(std::span<const int64_t> shape);
std::string type_text(plan::DType dtype, std::span<const int64_t> shape);  // "float32[1x3x224x224]"

// Index of the first NaN or infinity of a float32 tensor, -1: none.
int64_t first_non_finite(const Tensor& tensor);

}  // namespace bantam::tools
