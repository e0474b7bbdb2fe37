// Products of integers, computed with float32 numbers: exact up to 2^24, rounded to 24 bits beyond.
#include <fmt/format.h>

#include "ops/importers.h"
#include "ops/quantized/scheme.h"

namespace bantam::compiler {
namespace {

// Input `i` less its zero point, which is one number or one per index of `axis`.
ValueId less_zero_point(NodeImporter& n, int i, int zero_point, const std::string& what, int axis) {
  const ValueId id = n.input(i);
  const DType dtype = stored_dtype(n, id, what);
  if (dtype == DType::kInt32) n.fail(fmt::format("{} is int32; supported: uint8, int8", what));
  if (n.is_constant(id) && !n.has_input(zero_point)) return dequantized(n, id, {dtype, -1, {1.0f}, {0}});
  const ValueId numbers = as_numbers(n, id);
  if (!n.has_input(zero_point)) return numbers;
  const ValueId zero = n.input(zero_point);
  if (stored_dtype(n, zero, what + "_zero_point") != dtype) {
    n.fail(fmt::format("{}_zero_point and {} are of different types", what, what));
  }
  ValueId offset = as_numbers(n, zero);
  const int64_t count = element_count(n.shape_of(offset));
  if (count == 1) {
    offset = n.reshape(offset, {});
  } else {
    Shape shape(n.shape_of(id).size(), 1);
    if (axis < 0 || count != n.shape_of(id)[static_cast<size_t>(axis)]) {
      n.fail(fmt::format("{}_zero_point is [{}], which does not fit [{}]", what,
                         to_string(n.shape_of(offset)), to_string(n.shape_of(id))));
    }
    shape[static_cast<size_t>(axis)] = count;
    offset = n.reshape(offset, shape);
  }
  const bool constant = n.is_constant(id) && n.is_constant(offset);
  if (!constant) return n.binary(plan::BinaryKind::kSub, numbers, offset);
  Scheme scheme{dtype, count == 1 ? -1 : axis, {}, {}};
  for (const float number : n.constant_of(offset).to_float()) {
    scheme.scales.push_back(1.0f);
    scheme.zero_points.push_back(static_cast<int32_t>(number));
  }
  return dequantized(n, id, scheme);
}

}  // namespace

// ONNX ConvInteger 10.
void import_conv_integer(NodeImporter& n) {
  expect_input_count(n, 2, 4);
  const ValueId x = less_zero_point(n, 0, 2, "x", -1);
  const ValueId w = less_zero_point(n, 1, 3, "w", 0);
  n.output(n.cast(convolution(n, x, w, kNoValue), DType::kInt32));
}

// ONNX MatMulInteger 10.
void import_mat_mul_integer(NodeImporter& n) {
  expect_input_count(n, 2, 4);
  const ValueId a = less_zero_point(n, 0, 2, "a", n.rank_of(n.input(0)) - 2);
  const ValueId b = less_zero_point(n, 1, 3, "b", n.rank_of(n.input(1)) - 1);
  n.output(n.cast(matrix_product(n, a, b), DType::kInt32));
}

}  // namespace bantam::compiler
