// Every ONNX operator that bantam reads, by name.
#include <algorithm>

#include "ops/importers.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::ReduceKind;
using plan::UnaryKind;

constexpr OnnxOp kOnnxOps[] = {
    {"Abs", import_unary<UnaryKind::kAbs>},
    {"Add", import_binary<BinaryKind::kAdd>},
    {"And", import_binary<BinaryKind::kAnd>},
    {"ArgMax", import_arg_max},
    {"ArgMin", import_arg_min},
    {"AveragePool", import_average_pool},
    {"BatchNormalization", import_batch_norm},
    {"Cast", import_cast},
    {"CastLike", import_cast_like},
    {"Ceil", import_unary<UnaryKind::kCeil>},
    {"Celu", import_celu},
    {"Clip", import_clip},
    {"Concat", import_concat},
    {"Constant", import_constant},
    {"ConstantOfShape", import_constant_of_shape},
    {"Conv", import_conv},
    {"ConvTranspose", import_conv_transpose},
    {"Cos", import_unary<UnaryKind::kCos>},
    {"DepthToSpace", import_depth_to_space},
    {"Div", import_binary<BinaryKind::kDiv>},
    {"Dropout", import_dropout},
    {"Elu", import_elu},
    {"Equal", import_binary<BinaryKind::kEqual>},
    {"Erf", import_unary<UnaryKind::kErf>},
    {"Exp", import_unary<UnaryKind::kExp>},
    {"Expand", import_expand},
    {"Flatten", import_flatten},
    {"Floor", import_unary<UnaryKind::kFloor>},
    {"Gather", import_gather},
    {"GatherElements", import_gather_elements},
    {"Gelu", import_gelu},
    {"Gemm", import_gemm},
    {"GlobalAveragePool", import_global_average_pool},
    {"GlobalMaxPool", import_global_max_pool},
    {"Greater", import_binary<BinaryKind::kGreater>},
    {"GreaterOrEqual", import_binary<BinaryKind::kGreaterOrEqual>},
    {"HardSigmoid", import_hard_sigmoid},
    {"HardSwish", import_unary<UnaryKind::kHardSwish>},
    {"Identity", import_identity},
    {"InstanceNormalization", import_instance_norm},
    {"IsNaN", import_unary<UnaryKind::kIsNaN>},
    {"LayerNormalization", import_layer_norm},
    {"LeakyRelu", import_leaky_relu},
    {"Less", import_binary<BinaryKind::kLess>},
    {"LessOrEqual", import_binary<BinaryKind::kLessOrEqual>},
    {"Log", import_unary<UnaryKind::kLog>},
    {"LogSoftmax", import_log_softmax},
    {"MatMul", import_mat_mul},
    {"Max", import_max},
    {"MaxPool", import_max_pool},
    {"Mean", import_mean},
    {"Min", import_min},
    {"Mish", import_unary<UnaryKind::kMish>},
    {"Mod", import_mod},
    {"Mul", import_binary<BinaryKind::kMul>},
    {"Neg", import_unary<UnaryKind::kNeg>},
    {"Not", import_unary<UnaryKind::kNot>},
    {"Or", import_binary<BinaryKind::kOr>},
    {"PRelu", import_binary<BinaryKind::kPRelu>},
    {"Pad", import_pad},
    {"Pow", import_pow},
    {"Range", import_range},
    {"Reciprocal", import_unary<UnaryKind::kReciprocal>},
    {"ReduceL1", import_reduce<ReduceKind::kL1>},
    {"ReduceL2", import_reduce<ReduceKind::kL2>},
    {"ReduceLogSum", import_reduce_log_sum},
    {"ReduceLogSumExp", import_reduce_log_sum_exp},
    {"ReduceMax", import_reduce<ReduceKind::kMax>},
    {"ReduceMean", import_reduce<ReduceKind::kMean>},
    {"ReduceMin", import_reduce<ReduceKind::kMin>},
    {"ReduceProd", import_reduce<ReduceKind::kProd>},
    {"ReduceSum", import_reduce<ReduceKind::kSum>},
    {"ReduceSumSquare", import_reduce<ReduceKind::kSumSquare>},
    {"Relu", import_relu},
    {"Reshape", import_reshape},
    {"Resize", import_resize},
    {"Round", import_unary<UnaryKind::kRound>},
    {"Selu", import_selu},
    {"Shape", import_shape},
    {"Sigmoid", import_unary<UnaryKind::kSigmoid>},
    {"Sign", import_unary<UnaryKind::kSign>},
    {"Sin", import_unary<UnaryKind::kSin>},
    {"Size", import_size},
    {"Slice", import_slice},
    {"Softmax", import_softmax},
    {"Softplus", import_unary<UnaryKind::kSoftplus>},
    {"Softsign", import_unary<UnaryKind::kSoftsign>},
    {"SpaceToDepth", import_space_to_depth},
    {"Split", import_split},
    {"Sqrt", import_unary<UnaryKind::kSqrt>},
    {"Squeeze", import_squeeze},
    {"Sub", import_binary<BinaryKind::kSub>},
    {"Sum", import_sum},
    {"Tanh", import_unary<UnaryKind::kTanh>},
    {"ThresholdedRelu", import_thresholded_relu},
    {"Tile", import_tile},
    {"Transpose", import_transpose},
    {"Unsqueeze", import_unsqueeze},
    {"Upsample", import_upsample},
    {"Where", import_where},
    {"Xor", import_binary<BinaryKind::kXor>},
};

constexpr bool ordered_by_name() {
  for (size_t i = 1; i < std::size(kOnnxOps); ++i) {
    if (!(kOnnxOps[i - 1].type < kOnnxOps[i].type)) return false;
  }
  return true;
}
static_assert(ordered_by_name());

}  // namespace

const OnnxOp* find_onnx_op(std::string_view type) {
  const auto* found = std::lower_bound(std::begin(kOnnxOps), std::end(kOnnxOps), type,
                                       [](const OnnxOp& op, std::string_view key) { return op.type < key; });
  return found != std::end(kOnnxOps) && found->type == type ? found : nullptr;
}

std::span<const OnnxOp> all_onnx_ops() { return kOnnxOps; }

}  // namespace bantam::compiler
