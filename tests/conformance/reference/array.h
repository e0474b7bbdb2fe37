// The reference's tensors: doubles, whatever the dtype.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace bantam::tests {

using Index = std::vector<int64_t>;

enum class Kind { kFloat, kInt, kBool, kInt8, kUInt8 };  // kInt: int32 or int64

struct Array {
  Index shape;
  std::vector<double> values;  // row-major
  Kind kind = Kind::kFloat;

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  double at(const Index& index) const;
  double& at(const Index& index);
  Index ints() const;  // the values as integers
};

int64_t count(const Index& shape);

// Calls `visit` with every index of the shape, in row-major order.
void for_each_index(const Index& shape, const std::function<void(const Index&)>& visit);

Array make(const Index& shape, const std::function<double(const Index&)>& value, Kind kind = Kind::kFloat);

// Multidirectional broadcasting (ONNX, Broadcasting.md).
Index broadcast(const Index& a, const Index& b);
double at_broadcast(const Array& array, const Index& index);

int64_t wrap(int64_t axis, int64_t rank);  // negative axes count from the end

}  // namespace bantam::tests
