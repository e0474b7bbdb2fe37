// Naive double-precision references and the comparison of a kernel with them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "../int8_kernels/one_op.h"
#include "bantam/kernels/kernel_table.h"

namespace bantam::test {

using Dims = std::vector<int32_t>;
using Index = std::vector<int32_t>;

// A tensor's elements in order as doubles, whatever its type and strides.
std::vector<double> doubles(const Tensor& tensor);
// Sets the elements in order, converted to the tensor's type; what lies between the rows of a view gets
// rubbish.
void set(Tensor& tensor, const std::vector<double>& values);
// Reproducible values in [low, high); integers for integer types.
void fill_uniform(Tensor& tensor, uint32_t seed, double low = -1, double high = 1);

int64_t count(const Dims& dims);
// Calls body(index, position) for every index of a dense tensor of these dims, in order.
void for_each_index(const Dims& dims, const std::function<void(const Index&, size_t)>& body);
// The element at an index, axes aligned at the end and those of length 1 broadcast.
double broadcast_at(const std::vector<double>& values, const Dims& dims, const Index& index);

struct Tolerance {
  double relative = 1e-5;
  double absolute = 1e-6;
};

// Runs the op through the kernel table, on every instruction set that our own kernels have and then with 3
// threads, and compares the first output with `expected`; exactly when it is not float.
void check_op(OneOp& op, const std::vector<double>& expected, const Tolerance& tolerance = {});
// The op must be refused with kUnsupported.
void check_refused(OneOp& op);

// An op with its attributes; the tensors must outlive it.
template <typename Attributes>
OneOp make_op(plan::OpCode code, std::vector<Tensor*> inputs, Tensor& output, Attributes attributes) {
  OneOp op(code, std::move(inputs), {&output});
  op.op.attributes.Set(std::move(attributes));
  return op;
}

inline Tensor floats(Dims dims, int32_t pixel_stride = 0) {
  return Tensor(plan::DType::kFloat32, std::move(dims), {}, 0, pixel_stride);
}

}  // namespace bantam::test
