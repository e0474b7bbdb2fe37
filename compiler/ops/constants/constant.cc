// Operators whose output is a constant.
#include <cmath>

#include "ops/importers.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {
namespace {

template <typename T>
Tensor list_of(const std::vector<T>& values) {
  return Tensor::of<T>({static_cast<int64_t>(values.size())}, values);
}

Tensor read_constant(NodeImporter& n) {
  if (n.has_attr("value")) return *n.attr_tensor("value");
  if (n.has_attr("value_float")) return Tensor::scalar<float>(n.attr_float("value_float", 0));
  if (n.has_attr("value_floats")) return list_of(n.attr_floats("value_floats"));
  if (n.has_attr("value_int")) return Tensor::scalar<int64_t>(n.attr_int("value_int", 0));
  if (n.has_attr("value_ints")) return list_of(n.attr_ints("value_ints"));
  n.fail("supported: attributes value, value_float, value_floats, value_int, value_ints");
}

}  // namespace

// ONNX Constant 1, 9, 11, 12, 13, 19, 21.
void import_constant(NodeImporter& n) {
  expect_input_count(n, 0, 0);
  n.output(n.constant_value(read_constant(n)));
}

// ONNX ConstantOfShape 9, 20, 21.
void import_constant_of_shape(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  const Tensor value = n.attr_tensor("value").value_or(list_of<float>({0.0f}));
  if (value.elements() != 1)
    n.fail(fmt::format("value is [{}], it must have 1 element", to_string(value.type.shape)));
  const Shape shape = n.ints_of(n.constant(0, "its shape"), "its shape");
  const ValueId scalar = n.reshape(n.constant_value(value), {});
  if (shape.empty()) return n.output(scalar);
  n.output(n.emit(OpCode::kExpand, {scalar}, {}, TensorType{value.type.dtype, shape}));
}

namespace {

constexpr int64_t kLongestRange = int64_t{1} << 24;

template <typename T>
Tensor range_of(const NodeImporter& n, const Tensor& start, const Tensor& limit, const Tensor& delta) {
  const double first = static_cast<double>(start.as<T>()[0]);
  const double step = static_cast<double>(delta.as<T>()[0]);
  const double count = std::ceil((static_cast<double>(limit.as<T>()[0]) - first) / step);
  if (!(count <= static_cast<double>(kLongestRange))) n.fail(fmt::format("a range of {} elements", count));
  std::vector<T> values(count > 0 ? static_cast<size_t>(count) : 0);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(first + static_cast<double>(i) * step);
  return list_of(values);
}

}  // namespace

// ONNX Range 11.
void import_range(NodeImporter& n) {
  expect_input_count(n, 3, 3);
  const Tensor& start = n.constant(0, "start");
  const Tensor& limit = n.constant(1, "limit");
  const Tensor& delta = n.constant(2, "delta");
  const DType dtype = start.type.dtype;
  for (const Tensor* scalar : {&start, &limit, &delta}) {
    if (scalar->elements() != 1 || scalar->type.dtype != dtype)
      n.fail("start, limit and delta must be scalars of one type");
  }
  switch (dtype) {
    case DType::kFloat32:
      return n.output(n.constant_value(range_of<float>(n, start, limit, delta)));
    case DType::kInt64:
      return n.output(n.constant_value(range_of<int64_t>(n, start, limit, delta)));
    case DType::kInt32:
      return n.output(n.constant_value(range_of<int32_t>(n, start, limit, delta)));
    default:
      n.fail(fmt::format("a range of {}; supported: float32, int64, int32", dtype_name(dtype)));
  }
}

}  // namespace bantam::compiler
