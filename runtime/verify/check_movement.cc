// Ops that move elements and do not calculate.
#include <cmath>

#include "verify/op_checks.h"

namespace bantam::verify {
namespace {

using Ints = flatbuffers::Vector<int32_t>;

bool one_per_axis(const Ints* values, int32_t rank) {
  return values == nullptr ? rank == 0 : values->size() == static_cast<uint32_t>(rank);
}

bool same_dtype(const OpContext& op) { return op.input(0).dtype == op.output().dtype; }

}  // namespace

const char* check_concat(const OpContext& op) {
  const TensorInfo& y = op.output();
  const int32_t axis = attributes<plan::Concat>(op).axis();
  BANTAM_CHECK(axis >= 0 && axis < y.rank, kAxisProblem);
  int64_t sum = 0;
  for (int32_t i = 0; i < op.input_count; ++i) {
    const TensorInfo& x = op.input(i);
    BANTAM_CHECK(x.dtype == y.dtype, kDtypeProblem);
    BANTAM_CHECK(x.rank == y.rank, kRankProblem);
    for (int32_t k = 0; k < y.rank; ++k) BANTAM_CHECK(k == axis || x.dims[k] == y.dims[k], kShapeProblem);
    sum += x.dims[axis];
  }
  BANTAM_CHECK(sum == y.dims[axis], kShapeProblem);
  return nullptr;
}

const char* check_slice(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& y = op.output();
  const auto& a = attributes<plan::Slice>(op);
  BANTAM_CHECK(same_dtype(op), kDtypeProblem);
  BANTAM_CHECK(x.rank == y.rank && one_per_axis(a.starts(), x.rank) && one_per_axis(a.steps(), x.rank),
               kRankProblem);
  for (int32_t i = 0; i < x.rank; ++i) {
    const int64_t start = a.starts()->Get(static_cast<uint32_t>(i));
    const int64_t step = a.steps()->Get(static_cast<uint32_t>(i));
    const int64_t last = start + (int64_t{y.dims[i]} - 1) * step;
    BANTAM_CHECK(step != 0 && start >= 0 && start < x.dims[i] && last >= 0 && last < x.dims[i],
                 "it reaches outside of its input");
  }
  return nullptr;
}

const char* check_pad(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& y = op.output();
  const auto& a = attributes<plan::Pad>(op);
  BANTAM_CHECK(same_dtype(op), kDtypeProblem);
  BANTAM_CHECK(a.mode() <= plan::PadMode::MAX, kEnumProblem);
  BANTAM_CHECK(!std::isnan(a.value()) || is_float(x), "its value is not a number");
  BANTAM_CHECK(x.rank == y.rank && one_per_axis(a.before(), x.rank) && one_per_axis(a.after(), x.rank),
               kRankProblem);
  for (int32_t i = 0; i < x.rank; ++i) {
    const int64_t before = a.before()->Get(static_cast<uint32_t>(i));
    const int64_t after = a.after()->Get(static_cast<uint32_t>(i));
    BANTAM_CHECK(before >= 0 && after >= 0, "its padding is negative");
    BANTAM_CHECK(before + after + x.dims[i] == y.dims[i], kShapeProblem);
    const int64_t most = before > after ? before : after;
    BANTAM_CHECK(a.mode() != plan::PadMode::kReflect || most < x.dims[i], "it reflects more than its input");
    BANTAM_CHECK(a.mode() != plan::PadMode::kWrap || most <= x.dims[i], "it wraps more than its input");
  }
  return nullptr;
}

const char* check_transpose(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& y = op.output();
  const auto& a = attributes<plan::Transpose>(op);
  BANTAM_CHECK(same_dtype(op), kDtypeProblem);
  BANTAM_CHECK(x.rank == y.rank && one_per_axis(a.perm(), x.rank), kRankProblem);
  bool seen[kMaxRank] = {};
  for (int32_t i = 0; i < x.rank; ++i) {
    const int32_t axis = a.perm()->Get(static_cast<uint32_t>(i));
    BANTAM_CHECK(axis >= 0 && axis < x.rank && !seen[axis], "it is not a permutation");
    seen[axis] = true;
    BANTAM_CHECK(y.dims[i] == x.dims[axis], kShapeProblem);
  }
  return nullptr;
}

const char* check_reshape(const OpContext& op) {
  BANTAM_CHECK(same_dtype(op), kDtypeProblem);
  BANTAM_CHECK(op.input(0).elements == op.output().elements, kShapeProblem);
  return nullptr;
}

const char* check_tile(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& y = op.output();
  BANTAM_CHECK(same_dtype(op), kDtypeProblem);
  BANTAM_CHECK(x.rank == y.rank, kRankProblem);
  for (int32_t i = 0; i < x.rank; ++i) BANTAM_CHECK(y.dims[i] % x.dims[i] == 0, kShapeProblem);
  return nullptr;
}

const char* check_expand(const OpContext& op) {
  BANTAM_CHECK(same_dtype(op), kDtypeProblem);
  BANTAM_CHECK(broadcasts_to(op.input(0), op.output(), op.output()), kShapeProblem);
  return nullptr;
}

const char* check_gather(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& indices = op.input(1);
  const TensorInfo& y = op.output();
  const auto& a = attributes<plan::Gather>(op);
  BANTAM_CHECK(
      same_dtype(op) && (indices.dtype == plan::DType::kInt64 || indices.dtype == plan::DType::kInt32),
      kDtypeProblem);
  BANTAM_CHECK(a.axis() >= 0 && a.axis() < x.rank, kAxisProblem);
  if (a.elements()) {
    BANTAM_CHECK(x.rank == indices.rank && same_shape(indices, y), kShapeProblem);
    for (int32_t i = 0; i < x.rank; ++i) {
      BANTAM_CHECK(i == a.axis() || indices.dims[i] <= x.dims[i], kShapeProblem);
    }
    return nullptr;
  }
  BANTAM_CHECK(y.rank == x.rank - 1 + indices.rank, kRankProblem);
  for (int32_t i = 0; i < y.rank; ++i) {
    const int32_t after = i - indices.rank + 1;  // axis of x when behind the indices
    const int32_t expected = i < a.axis()                  ? x.dims[i]
                             : i < a.axis() + indices.rank ? indices.dims[i - a.axis()]
                                                           : x.dims[after];
    BANTAM_CHECK(y.dims[i] == expected, kShapeProblem);
  }
  return nullptr;
}

const char* check_copy(const OpContext& op) {
  BANTAM_CHECK(same_dtype(op), kDtypeProblem);
  BANTAM_CHECK(same_shape(op.input(0), op.output()), kShapeProblem);
  return nullptr;
}

}  // namespace bantam::verify
