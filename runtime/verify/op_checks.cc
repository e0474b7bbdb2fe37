#include "verify/op_checks.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "verify/verify.h"

namespace bantam::verify {
namespace {

using plan::Attributes;
using plan::OpCode;

// The ops of this build: all of them or, with BANTAM_ONLY, those that have a kernel.
#define BANTAM_OP(code) OpCode::code,
constexpr OpCode kBuiltOps[] = {
#include "built_ops.inc"
    OpCode::kNone};
#undef BANTAM_OP

struct OpRule {
  OpCode code;
  int32_t required;  // inputs that may not be left out: the first ones
  int32_t most;      // inputs
  Attributes attributes;
  const char* (*check)(const OpContext& op);  // null: not in this build
};

constexpr int32_t kAnyNumber = 1 << 30;

constexpr OpRule kEveryRule[] = {
    {OpCode::kConv2d, 2, 3, Attributes::Conv2d, check_conv2d},
    {OpCode::kConvTranspose2d, 2, 3, Attributes::Conv2d, check_conv_transpose2d},
    {OpCode::kFullyConnected, 2, 3, Attributes::FullyConnected, check_fully_connected},
    {OpCode::kMatMul, 2, 2, Attributes::MatMul, check_mat_mul},
    {OpCode::kMaxPool2d, 1, 1, Attributes::Pool2d, check_pool2d},
    {OpCode::kAveragePool2d, 1, 1, Attributes::Pool2d, check_average_pool2d},
    {OpCode::kReduce, 1, 1, Attributes::Reduce, check_reduce},
    {OpCode::kArgMax, 1, 1, Attributes::ArgMax, check_arg_max},
    {OpCode::kUnary, 1, 1, Attributes::Unary, check_unary},
    {OpCode::kBinary, 2, 2, Attributes::Binary, check_binary},
    {OpCode::kWhere, 3, 3, Attributes::NONE, check_where},
    {OpCode::kCast, 1, 1, Attributes::NONE, check_cast},
    {OpCode::kSoftmax, 1, 2, Attributes::Softmax, check_softmax},
    {OpCode::kLayerNorm, 1, 3, Attributes::LayerNorm, check_layer_norm},
    {OpCode::kInstanceNorm, 3, 3, Attributes::InstanceNorm, check_instance_norm},
    {OpCode::kConcat, 1, kAnyNumber, Attributes::Concat, check_concat},
    {OpCode::kSlice, 1, 1, Attributes::Slice, check_slice},
    {OpCode::kPad, 1, 1, Attributes::Pad, check_pad},
    {OpCode::kTranspose, 1, 1, Attributes::Transpose, check_transpose},
    {OpCode::kReshape, 1, 1, Attributes::NONE, check_reshape},
    {OpCode::kTile, 1, 1, Attributes::NONE, check_tile},
    {OpCode::kExpand, 1, 1, Attributes::NONE, check_expand},
    {OpCode::kGather, 2, 2, Attributes::Gather, check_gather},
    {OpCode::kResize, 1, 1, Attributes::Resize, check_resize},
    {OpCode::kLookup, 2, 2, Attributes::NONE, check_lookup},
    {OpCode::kQuantize, 1, 1, Attributes::NONE, check_quantize},
    {OpCode::kDequantize, 1, 1, Attributes::NONE, check_dequantize},
    {OpCode::kRequantize, 1, 1, Attributes::NONE, check_requantize},
    {OpCode::kNormalizeImage, 2, 2, Attributes::NONE, check_normalize_image},
    {OpCode::kCopy, 1, 1, Attributes::NONE, check_copy},
    {OpCode::kNarrowFullyConnected, 2, 3, Attributes::NarrowFullyConnected, check_narrow_fully_connected},
};

// Without the checks of ops that are not built, which the linker then drops.
constexpr auto kRules = [] {
  std::array<OpRule, std::size(kEveryRule)> rules{};
  for (size_t i = 0; i < rules.size(); ++i) {
    rules[i] = kEveryRule[i];
    if (std::ranges::find(kBuiltOps, rules[i].code) == std::end(kBuiltOps)) rules[i].check = nullptr;
  }
  return rules;
}();

const OpRule* rule_of(OpCode code) {
  for (const OpRule& rule : kRules) {
    if (rule.code == code) return &rule;
  }
  return nullptr;
}

const char* check_op(const OpContext& op, const OpRule* rule) {
  BANTAM_CHECK(rule != nullptr, "its code is unknown");
  BANTAM_CHECK(op.input_count <= rule->most, "it has too many inputs");
  const int32_t required = rule->most == kAnyNumber ? op.input_count : rule->required;
  BANTAM_CHECK(required >= rule->required, "an input is missing");
  for (int32_t i = 0; i < required; ++i) BANTAM_CHECK(op.has_input(i), "an input is missing");
  if (rule->attributes != Attributes::NONE) {
    BANTAM_CHECK(op.op->attributes_type() == rule->attributes && op.op->attributes() != nullptr,
                 "its attributes are missing or of another op");
  }
  return rule->check(op);
}

}  // namespace

Status verify_ops(const LoadedPlan& loaded) {
  for (size_t i = 0; i < loaded.ops.size(); ++i) {
    const OpRule* rule = rule_of(loaded.ops[i].op->code());
    if (rule != nullptr && rule->check == nullptr) {
      return Status(StatusCode::kUnsupported, loaded.op_name(static_cast<int32_t>(i)),
                    "no kernel for this op in this build");
    }
    if (const char* problem = check_op(loaded.ops[i], rule)) return op_error(loaded, i, problem);
  }
  return ok_status();
}

bool same_shape(const TensorInfo& a, const TensorInfo& b) {
  if (a.rank != b.rank) return false;
  for (int32_t i = 0; i < a.rank; ++i) {
    if (a.dims[i] != b.dims[i]) return false;
  }
  return true;
}

bool is_vector(const TensorInfo& tensor, int32_t length) {
  return tensor.rank == 1 && tensor.dims[0] == length;
}

bool broadcasts_to(const TensorInfo& a, const TensorInfo& b, const TensorInfo& out) {
  if (out.rank != (a.rank > b.rank ? a.rank : b.rank)) return false;
  for (int32_t i = 1; i <= out.rank; ++i) {
    const int32_t dim_a = i > a.rank ? 1 : a.dims[a.rank - i];
    const int32_t dim_b = i > b.rank ? 1 : b.dims[b.rank - i];
    if (dim_a != dim_b && dim_a != 1 && dim_b != 1) return false;
    if (out.dims[out.rank - i] != (dim_a == 1 ? dim_b : dim_a)) return false;
  }
  return true;
}

bool is_clamp(const plan::Clamp* clamp) {
  return clamp == nullptr || (clamp->min() <= clamp->max() && clamp->q_min() <= clamp->q_max());
}

const char* check_weighted_dtypes(const OpContext& op) {
  const TensorInfo& x = op.input(0);
  const TensorInfo& w = op.input(1);
  const TensorInfo& y = op.output();
  const TensorInfo* bias = op.has_input(2) ? op.inputs[2] : nullptr;
  if (x.dtype == plan::DType::kInt8) {
    BANTAM_CHECK(is_real(x) && is_real(y) && y.dtype == plan::DType::kInt8, kQuantizationProblem);
    BANTAM_CHECK(is_int8(w) && w.data != nullptr && w.zero_point == 0,
                 "int8 weights must be constant, with scales and zero point 0");
    BANTAM_CHECK(bias == nullptr || (bias->dtype == plan::DType::kInt32 && bias->data != nullptr),
                 "the bias of an int8 op must be constant int32");
    return nullptr;
  }
  BANTAM_CHECK(is_float(x) && is_float(w) && is_float(y) && (bias == nullptr || is_float(*bias)),
               kDtypeProblem);
  return nullptr;
}

}  // namespace bantam::verify
