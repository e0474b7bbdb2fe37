// Ops whose output elements depend on the input elements at the same place.
#include <cmath>

#include "verify/op_checks.h"

namespace bantam::verify {
namespace {

using plan::BinaryKind;
using plan::DType;
using plan::UnaryKind;

bool is_comparison(BinaryKind kind) {
  return kind >= BinaryKind::kEqual && kind <= BinaryKind::kGreaterOrEqual;
}
bool is_logical(BinaryKind kind) { return kind >= BinaryKind::kAnd && kind <= BinaryKind::kXor; }

// int8 numbers need a scale to calculate with; other dtypes need none.
bool has_scale_if_int8(const TensorInfo& tensor) { return tensor.dtype != DType::kInt8 || is_real(tensor); }

}  // namespace

const char* check_unary(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& y = op.output();
  const auto& a = attributes<plan::Unary>(op);
  BANTAM_CHECK(a.kind() <= UnaryKind::MAX, kEnumProblem);
  BANTAM_CHECK(same_shape(x, y), kShapeProblem);
  BANTAM_CHECK(y.dtype == (a.kind() == UnaryKind::kIsNaN ? DType::kBool : x.dtype), kDtypeProblem);
  BANTAM_CHECK(a.kind() != UnaryKind::kNot || x.dtype == DType::kBool, kDtypeProblem);
  BANTAM_CHECK(has_scale_if_int8(x) && has_scale_if_int8(y), kQuantizationProblem);
  BANTAM_CHECK(!std::isnan(a.alpha()) && !std::isnan(a.beta()), "an attribute is not a number");
  BANTAM_CHECK(a.kind() != UnaryKind::kClamp || a.alpha() <= a.beta(), kClampProblem);
  return nullptr;
}

const char* check_binary(const OpContext& op) {
  const TensorInfo& a = op.input(0);
  const TensorInfo& b = op.input(1);
  const TensorInfo& y = op.output();
  const auto& attrs = attributes<plan::Binary>(op);
  BANTAM_CHECK(attrs.kind() <= BinaryKind::MAX && attrs.rounding() <= plan::SumRounding::MAX, kEnumProblem);
  const bool to_bool = is_comparison(attrs.kind()) || is_logical(attrs.kind());
  BANTAM_CHECK(a.dtype == b.dtype && y.dtype == (to_bool ? DType::kBool : a.dtype), kDtypeProblem);
  BANTAM_CHECK(!is_logical(attrs.kind()) || a.dtype == DType::kBool, kDtypeProblem);
  BANTAM_CHECK(has_scale_if_int8(a) && has_scale_if_int8(b) && has_scale_if_int8(y), kQuantizationProblem);
  BANTAM_CHECK(broadcasts_to(a, b, y), kShapeProblem);
  BANTAM_CHECK(is_clamp(attrs.clamp()), kClampProblem);
  return nullptr;
}

const char* check_where(const OpContext& op) {
  const TensorInfo& condition = op.input(0);
  const TensorInfo& a = op.input(1);
  const TensorInfo& b = op.input(2);
  const TensorInfo& y = op.output();
  BANTAM_CHECK(condition.dtype == DType::kBool && a.dtype == b.dtype && a.dtype == y.dtype, kDtypeProblem);
  // Broadcasting is associative: first a with b, then that with the condition.
  TensorInfo both;
  both.rank = a.rank > b.rank ? a.rank : b.rank;
  for (int32_t i = 1; i <= both.rank; ++i) {
    const int32_t dim_a = i > a.rank ? 1 : a.dims[a.rank - i];
    const int32_t dim_b = i > b.rank ? 1 : b.dims[b.rank - i];
    both.dims[both.rank - i] = dim_a == 1 ? dim_b : dim_a;
  }
  BANTAM_CHECK(broadcasts_to(a, b, both) && broadcasts_to(condition, both, y), kShapeProblem);
  return nullptr;
}

const char* check_cast(const OpContext& op) {
  BANTAM_CHECK(same_shape(op.input(0), op.output()), kShapeProblem);
  return nullptr;
}

const char* check_lookup(const OpContext& op) {
  const TensorInfo& table = op.input(1);
  BANTAM_CHECK(
      op.input(0).dtype == DType::kInt8 && table.dtype == DType::kInt8 && op.output().dtype == DType::kInt8,
      kDtypeProblem);
  BANTAM_CHECK(is_vector(table, 256), "its table is not [256]");
  BANTAM_CHECK(same_shape(op.input(0), op.output()), kShapeProblem);
  return nullptr;
}

const char* check_quantize(const OpContext& op) {
  BANTAM_CHECK(is_float(op.input(0)) && op.output().dtype == DType::kInt8, kDtypeProblem);
  BANTAM_CHECK(is_real(op.output()), kQuantizationProblem);
  BANTAM_CHECK(same_shape(op.input(0), op.output()), kShapeProblem);
  return nullptr;
}

const char* check_dequantize(const OpContext& op) {
  BANTAM_CHECK(op.input(0).dtype == DType::kInt8 && is_float(op.output()), kDtypeProblem);
  BANTAM_CHECK(is_real(op.input(0)), kQuantizationProblem);
  BANTAM_CHECK(same_shape(op.input(0), op.output()), kShapeProblem);
  return nullptr;
}

const char* check_requantize(const OpContext& op) {
  BANTAM_CHECK(op.input(0).dtype == DType::kInt8 && op.output().dtype == DType::kInt8, kDtypeProblem);
  BANTAM_CHECK(is_real(op.input(0)) && is_real(op.output()), kQuantizationProblem);
  BANTAM_CHECK(same_shape(op.input(0), op.output()), kShapeProblem);
  return nullptr;
}

}  // namespace bantam::verify
