#include <fmt/format.h>

#include "ops/importers.h"
#include "ops/quantized/scheme.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::ReduceKind;
using plan::UnaryKind;

// Axis along which scales may run. A scheme for the whole tensor has no use for it, whatever its rank.
int read_axis(NodeImporter& n, int rank) {
  const int64_t axis = n.attr_int("axis", 1);
  const bool one = !n.has_input(1) || element_count(n.shape_of(n.input(1))) == 1;
  return one || rank == 0 ? -1 : n.axis(axis, rank);
}

void refuse_blocks(NodeImporter& n) {
  if (n.attr_int("block_size", 0) != 0) n.fail("scales per block (block_size) are not supported");
}

// ONNX TensorProto::DataType
constexpr int64_t kOnnxUInt8 = 2, kOnnxInt8 = 3;

DType output_dtype(NodeImporter& n) {
  const int64_t stated = n.attr_int("output_dtype", 0);
  if (stated == 0 || n.has_input(2)) return zero_point_dtype(n, 2);
  if (stated == kOnnxUInt8) return DType::kUInt8;
  if (stated == kOnnxInt8) return DType::kInt8;
  n.fail(fmt::format("output_dtype {}; supported: 2 (uint8), 3 (int8)", stated));
}

}  // namespace

// ONNX QuantizeLinear 10, 13, 19, 21 and com.microsoft 1.
void import_quantize_linear(NodeImporter& n) {
  expect_input_count(n, 1, 3);
  n.ignore_attr("saturate");   // of float8, which is refused
  n.ignore_attr("precision");  // of the division
  refuse_blocks(n);
  const ValueId x = n.cast(n.input(0), DType::kFloat32);
  const int axis = read_axis(n, n.rank_of(x));
  n.output(quantized(n, x, read_scheme(n, "y", 1, 2, output_dtype(n), n.shape_of(x), axis)));
}

// ONNX DequantizeLinear 10, 13, 19, 21 and com.microsoft 1.
void import_dequantize_linear(NodeImporter& n) {
  expect_input_count(n, 1, 3);
  n.ignore_attr("output_dtype");  // that of the scale
  refuse_blocks(n);
  const ValueId x = n.input(0);
  const DType dtype = stored_dtype(n, x, "x");
  const int axis = read_axis(n, n.rank_of(x));
  const ValueId real = dequantized(n, x, read_scheme(n, "x", 1, 2, dtype, n.shape_of(x), axis));
  // A value of its own, as the integers may have other readers.
  n.output(n.stored_of(real) ? n.emit(OpCode::kReshape, {real}, {}, n.type_of(real)) : real);
}

namespace {

ValueId extremum(NodeImporter& n, ReduceKind kind, ValueId x) {
  plan::ReduceT reduce;
  reduce.kind = kind;
  reduce.keep_dims = false;
  for (int i = 0; i < n.rank_of(x); ++i) reduce.axes.push_back(i);
  const ValueId found = n.emit(OpCode::kReduce, {x}, reduce);
  return n.binary(kind == ReduceKind::kMax ? BinaryKind::kMax : BinaryKind::kMin, found, n.float_scalar(0));
}

}  // namespace

// ONNX DynamicQuantizeLinear 11: the range of the data itself, widened to include 0. All zeros get scale 1.
void import_dynamic_quantize_linear(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  const ValueId x = n.input(0);
  if (n.type_of(x).dtype != DType::kFloat32) {
    n.fail(fmt::format("its input is {}; supported: float32", to_string(n.type_of(x))));
  }
  const ValueId low = extremum(n, ReduceKind::kMin, x), high = extremum(n, ReduceKind::kMax, x);
  const ValueId range = n.binary(BinaryKind::kSub, high, low);
  const ValueId nothing = n.binary(BinaryKind::kEqual, range, n.float_scalar(0));
  const ValueId scale = n.emit(
      OpCode::kWhere, {nothing, n.float_scalar(1), n.binary(BinaryKind::kDiv, range, n.float_scalar(255))});
  const ValueId offset = n.unary(UnaryKind::kNeg, n.binary(BinaryKind::kDiv, low, scale));
  const ValueId zero_point = n.unary(UnaryKind::kRound, n.unary(UnaryKind::kClamp, offset, 0, 255));
  const ValueId steps = n.unary(UnaryKind::kRound, n.binary(BinaryKind::kDiv, x, scale));
  const ValueId y = n.unary(UnaryKind::kClamp, n.binary(BinaryKind::kAdd, steps, zero_point), 0, 255);
  for (const ValueId id : {y, zero_point}) {
    if (!n.is_constant(id)) n.set_stored(id, {DType::kUInt8, 1, 0});
  }
  n.output(0, n.is_constant(y) ? n.cast(y, DType::kUInt8) : y);
  n.output(1, scale);
  n.output(2, n.is_constant(zero_point) ? n.cast(zero_point, DType::kUInt8) : zero_point);
}

}  // namespace bantam::compiler
