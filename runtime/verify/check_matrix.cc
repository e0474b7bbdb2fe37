// Products of matrices, and what works along axes: reductions, softmax, layer normalization.
#include <cmath>

#include "verify/op_checks.h"

namespace bantam::verify {
namespace {

// The dimensions of a and b before axis `count` from the end broadcast to those of y.
bool batches_broadcast(const TensorInfo& a, const TensorInfo& b, const TensorInfo& y, int32_t count) {
  TensorInfo batch_a = a;
  TensorInfo batch_b = b;
  TensorInfo batch_y = y;
  batch_a.rank -= count;
  batch_b.rank -= count;
  batch_y.rank -= count;
  return broadcasts_to(batch_a, batch_b, batch_y);
}

// `y` is x without the marked axes, or with 1 in their place.
bool reduced_shape(const TensorInfo& x, const bool* reduced, bool keep_dims, const TensorInfo& y) {
  int32_t axis = 0;
  for (int32_t i = 0; i < x.rank; ++i) {
    if (reduced[i] && !keep_dims) continue;
    if (axis >= y.rank || y.dims[axis] != (reduced[i] ? 1 : x.dims[i])) return false;
    ++axis;
  }
  return axis == y.rank;
}

}  // namespace

const char* check_fully_connected(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& w = op.input(1);
  const TensorInfo& y = op.output();
  BANTAM_CHECK(x.rank >= 1 && w.rank == 2 && y.rank == x.rank, kRankProblem);
  BANTAM_RETURN_IF_PROBLEM(check_weighted_dtypes(op));
  for (int32_t i = 0; i + 1 < x.rank; ++i) BANTAM_CHECK(x.dims[i] == y.dims[i], kShapeProblem);
  BANTAM_CHECK(x.dims[x.rank - 1] == w.dims[1] && y.dims[y.rank - 1] == w.dims[0], kShapeProblem);
  BANTAM_CHECK(!op.has_input(2) || is_vector(op.input(2), w.dims[0]), "its bias has the wrong length");
  BANTAM_CHECK(is_clamp(attributes<plan::FullyConnected>(op).clamp()), kClampProblem);
  return nullptr;
}

const char* check_narrow_fully_connected(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& w = op.input(1);
  const TensorInfo& y = op.output();
  const auto& attrs = attributes<plan::NarrowFullyConnected>(op);
  BANTAM_CHECK(attrs.bits() == 8 || attrs.bits() == 4, kEnumProblem);
  BANTAM_CHECK(x.rank >= 1 && w.rank == 2 && y.rank == x.rank, kRankProblem);
  BANTAM_CHECK(x.dtype == plan::DType::kFloat32 && y.dtype == plan::DType::kFloat32, kDtypeProblem);
  BANTAM_CHECK(is_int8(w) && w.data != nullptr && w.zero_point == 0,
               "its weights must be constant int8 with scales and zero point 0");
  BANTAM_CHECK(!op.has_input(2) || (is_float(op.input(2)) && op.input(2).data != nullptr),
               "its bias must be constant and float");
  for (int32_t i = 0; i + 1 < x.rank; ++i) BANTAM_CHECK(x.dims[i] == y.dims[i], kShapeProblem);
  const int32_t columns = x.dims[x.rank - 1];
  BANTAM_CHECK(attrs.bits() == 8 || columns % 2 == 0, "4-bit weights need an even number of columns");
  BANTAM_CHECK(w.dims[1] == (attrs.bits() == 8 ? columns : columns / 2) && y.dims[y.rank - 1] == w.dims[0],
               kShapeProblem);
  BANTAM_CHECK(!op.has_input(2) || is_vector(op.input(2), w.dims[0]), "its bias has the wrong length");
  BANTAM_CHECK(is_clamp(attrs.clamp()), kClampProblem);
  return nullptr;
}

const char* check_mat_mul(const OpContext& op) {
  const TensorInfo& a = op.input(0);
  const TensorInfo& b = op.input(1);
  const TensorInfo& y = op.output();
  BANTAM_CHECK(a.rank >= 2 && b.rank >= 2 && y.rank >= 2, kRankProblem);
  BANTAM_CHECK(is_real(a) && is_real(b) && is_real(y) && a.dtype == b.dtype && a.dtype == y.dtype,
               kDtypeProblem);
  const bool transposed = attributes<plan::MatMul>(op).transpose_b();
  const int32_t b_rows = b.dims[b.rank - 2];
  const int32_t b_columns = b.dims[b.rank - 1];
  BANTAM_CHECK(a.dims[a.rank - 1] == (transposed ? b_columns : b_rows) &&
                   y.dims[y.rank - 2] == a.dims[a.rank - 2] &&
                   y.dims[y.rank - 1] == (transposed ? b_rows : b_columns) && batches_broadcast(a, b, y, 2),
               kShapeProblem);
  return nullptr;
}

const char* check_reduce(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const auto& a = attributes<plan::Reduce>(op);
  BANTAM_CHECK(a.kind() <= plan::ReduceKind::MAX, kEnumProblem);
  BANTAM_CHECK(x.dtype == op.output().dtype, kDtypeProblem);
  BANTAM_CHECK(x.dtype != plan::DType::kInt8 || (is_real(x) && is_real(op.output())), kQuantizationProblem);
  bool reduced[kMaxRank] = {};
  for (uint32_t i = 0; a.axes() != nullptr && i < a.axes()->size(); ++i) {
    const int32_t axis = a.axes()->Get(i);
    BANTAM_CHECK(axis >= 0 && axis < x.rank && !reduced[axis], kAxisProblem);
    reduced[axis] = true;
  }
  BANTAM_CHECK(reduced_shape(x, reduced, a.keep_dims(), op.output()), kShapeProblem);
  return nullptr;
}

const char* check_arg_max(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const auto& a = attributes<plan::ArgMax>(op);
  BANTAM_CHECK(op.output().dtype == plan::DType::kInt64, kDtypeProblem);
  BANTAM_CHECK(a.axis() >= 0 && a.axis() < x.rank, kAxisProblem);
  bool reduced[kMaxRank] = {};
  reduced[a.axis()] = true;
  BANTAM_CHECK(reduced_shape(x, reduced, a.keep_dims(), op.output()), kShapeProblem);
  return nullptr;
}

const char* check_softmax(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const int32_t axis = attributes<plan::Softmax>(op).axis();
  BANTAM_CHECK(x.rank >= 1 && (axis == -1 || axis == x.rank - 1), kAxisProblem);
  BANTAM_CHECK(is_real(x) && is_real(op.output()), kDtypeProblem);
  BANTAM_CHECK(same_shape(x, op.output()), kShapeProblem);
  if (op.has_input(1)) {
    const TensorInfo& table = op.input(1);
    BANTAM_CHECK(is_vector(table, 256) && table.dtype == plan::DType::kInt32 && table.data != nullptr,
                 "its table is not a constant int32 [256]");
  }
  return nullptr;
}

const char* check_layer_norm(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const auto& a = attributes<plan::LayerNorm>(op);
  BANTAM_CHECK(is_float(x) && is_float(op.output()), kDtypeProblem);
  BANTAM_CHECK(same_shape(x, op.output()), kShapeProblem);
  BANTAM_CHECK(a.axes() >= 1 && a.axes() <= x.rank, kAxisProblem);
  BANTAM_CHECK(std::isfinite(a.epsilon()) && a.epsilon() >= 0, "its epsilon is out of range");
  for (int32_t input = 1; input <= 2; ++input) {
    if (!op.has_input(input)) continue;
    const TensorInfo& vector = op.input(input);
    BANTAM_CHECK(is_float(vector), kDtypeProblem);
    BANTAM_CHECK(vector.rank == a.axes(), "its scale or bias has the wrong shape");
    for (int32_t i = 0; i < a.axes(); ++i) {
      BANTAM_CHECK(vector.dims[i] == x.dims[x.rank - a.axes() + i], "its scale or bias has the wrong shape");
    }
  }
  return nullptr;
}

}  // namespace bantam::verify
