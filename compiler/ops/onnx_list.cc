// Every ONNX operator that bantam reads, by name.
#include <algorithm>

#include "ops/importers.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

using plan::BinaryKind;
using plan::ReduceKind;
using plan::UnaryKind;

constexpr StoredRule kMoves = StoredRule::kMoves;
constexpr StoredRule kReads = StoredRule::kReads;

constexpr OnnxOp kOnnxOps[] = {
    {"Abs", import_unary<UnaryKind::kAbs>},
    {"Add", import_binary<BinaryKind::kAdd>},
    {"And", import_binary<BinaryKind::kAnd>},
    {"ArgMax", import_arg_max, kReads},
    {"ArgMin", import_arg_min, kReads},
    {"AveragePool", import_average_pool},
    {"BatchNormalization", import_batch_norm},
    {"Cast", import_cast, kReads},
    {"CastLike", import_cast_like},
    {"Ceil", import_unary<UnaryKind::kCeil>},
    {"Celu", import_celu},
    {"Clip", import_clip},
    {"Concat", import_concat, kMoves},
    {"Constant", import_constant},
    {"ConstantOfShape", import_constant_of_shape},
    {"Conv", import_conv},
    {"ConvInteger", import_conv_integer, kReads},
    {"ConvTranspose", import_conv_transpose},
    {"Cos", import_unary<UnaryKind::kCos>},
    {"DepthToSpace", import_depth_to_space, kMoves},
    {"DequantizeLinear", import_dequantize_linear, kReads},
    {"Div", import_binary<BinaryKind::kDiv>},
    {"Dropout", import_dropout},
    {"DynamicQuantizeLinear", import_dynamic_quantize_linear},
    {"Elu", import_elu},
    {"Equal", import_binary<BinaryKind::kEqual>},
    {"Erf", import_unary<UnaryKind::kErf>},
    {"Exp", import_unary<UnaryKind::kExp>},
    {"Expand", import_expand, kMoves},
    {"Flatten", import_flatten, kMoves},
    {"Floor", import_unary<UnaryKind::kFloor>},
    {"Gather", import_gather, kMoves},
    {"GatherElements", import_gather_elements, kMoves},
    {"Gelu", import_gelu},
    {"Gemm", import_gemm},
    {"GlobalAveragePool", import_global_average_pool},
    {"GlobalMaxPool", import_global_max_pool, kMoves},
    {"Greater", import_binary<BinaryKind::kGreater>},
    {"GreaterOrEqual", import_binary<BinaryKind::kGreaterOrEqual>},
    {"HardSigmoid", import_hard_sigmoid},
    {"HardSwish", import_unary<UnaryKind::kHardSwish>},
    {"Identity", import_identity, kMoves},
    {"InstanceNormalization", import_instance_norm},
    {"IsNaN", import_unary<UnaryKind::kIsNaN>},
    {"LayerNormalization", import_layer_norm},
    {"LeakyRelu", import_leaky_relu},
    {"Less", import_binary<BinaryKind::kLess>},
    {"LessOrEqual", import_binary<BinaryKind::kLessOrEqual>},
    {"Log", import_unary<UnaryKind::kLog>},
    {"LogSoftmax", import_log_softmax},
    {"MatMul", import_mat_mul},
    {"MatMulInteger", import_mat_mul_integer, kReads},
    {"Max", import_max},
    {"MaxPool", import_max_pool, kMoves},
    {"Mean", import_mean},
    {"Min", import_min},
    {"Mish", import_unary<UnaryKind::kMish>},
    {"Mod", import_mod},
    {"Mul", import_binary<BinaryKind::kMul>},
    {"Neg", import_unary<UnaryKind::kNeg>},
    {"Not", import_unary<UnaryKind::kNot>},
    {"Or", import_binary<BinaryKind::kOr>},
    {"PRelu", import_binary<BinaryKind::kPRelu>},
    {"Pad", import_pad, kMoves},
    {"Pow", import_pow},
    {"QLinearConv", import_qlinear_conv, kReads},
    {"QLinearMatMul", import_qlinear_mat_mul, kReads},
    {"QuantizeLinear", import_quantize_linear},
    {"Range", import_range},
    {"Reciprocal", import_unary<UnaryKind::kReciprocal>},
    {"ReduceL1", import_reduce<ReduceKind::kL1>},
    {"ReduceL2", import_reduce<ReduceKind::kL2>},
    {"ReduceLogSum", import_reduce_log_sum},
    {"ReduceLogSumExp", import_reduce_log_sum_exp},
    {"ReduceMax", import_reduce<ReduceKind::kMax>, kMoves},
    {"ReduceMean", import_reduce<ReduceKind::kMean>},
    {"ReduceMin", import_reduce<ReduceKind::kMin>, kMoves},
    {"ReduceProd", import_reduce<ReduceKind::kProd>},
    {"ReduceSum", import_reduce<ReduceKind::kSum>},
    {"ReduceSumSquare", import_reduce<ReduceKind::kSumSquare>},
    {"Relu", import_relu},
    {"Reshape", import_reshape, kMoves},
    {"Resize", import_resize, kMoves},
    {"Round", import_unary<UnaryKind::kRound>},
    {"Selu", import_selu},
    {"Shape", import_shape, kReads},
    {"Sigmoid", import_unary<UnaryKind::kSigmoid>},
    {"Sign", import_unary<UnaryKind::kSign>},
    {"Sin", import_unary<UnaryKind::kSin>},
    {"Size", import_size, kReads},
    {"Slice", import_slice, kMoves},
    {"Softmax", import_softmax},
    {"Softplus", import_unary<UnaryKind::kSoftplus>},
    {"Softsign", import_unary<UnaryKind::kSoftsign>},
    {"SpaceToDepth", import_space_to_depth, kMoves},
    {"Split", import_split, kMoves},
    {"Sqrt", import_unary<UnaryKind::kSqrt>},
    {"Squeeze", import_squeeze, kMoves},
    {"Sub", import_binary<BinaryKind::kSub>},
    {"Sum", import_sum},
    {"Tanh", import_unary<UnaryKind::kTanh>},
    {"ThresholdedRelu", import_thresholded_relu},
    {"Tile", import_tile, kMoves},
    {"Transpose", import_transpose, kMoves},
    {"Unsqueeze", import_unsqueeze, kMoves},
    {"Upsample", import_upsample},
    {"Where", import_where},
    {"Xor", import_binary<BinaryKind::kXor>},
};

// What ONNX Runtime's quantization tool writes beyond ONNX's own operators.
constexpr OnnxOp kMicrosoftOps[] = {
    {"DequantizeLinear", import_dequantize_linear, kReads},
    {"QGemm", import_qgemm, kReads},
    {"QLinearAdd", import_qlinear_binary<BinaryKind::kAdd>, kReads},
    {"QLinearAveragePool", import_qlinear_average_pool, kReads},
    {"QLinearConcat", import_qlinear_concat, kReads},
    {"QLinearConv", import_qlinear_conv, kReads},
    {"QLinearGlobalAveragePool", import_qlinear_global_average_pool, kReads},
    {"QLinearLeakyRelu", import_qlinear_leaky_relu, kReads},
    {"QLinearMul", import_qlinear_binary<BinaryKind::kMul>, kReads},
    {"QLinearSigmoid", import_qlinear_sigmoid, kReads},
    {"QLinearSoftmax", import_qlinear_softmax, kReads},
    {"QuantizeLinear", import_quantize_linear},
};

constexpr bool ordered_by_name(std::span<const OnnxOp> ops) {
  for (size_t i = 1; i < ops.size(); ++i) {
    if (!(ops[i - 1].type < ops[i].type)) return false;
  }
  return true;
}
static_assert(ordered_by_name(kOnnxOps) && ordered_by_name(kMicrosoftOps));

}  // namespace

std::span<const OnnxOp> all_onnx_ops(std::string_view domain) {
  if (domain == kMicrosoft) return kMicrosoftOps;
  if (domain.empty() || domain == "ai.onnx") return kOnnxOps;
  return {};
}

const OnnxOp* find_onnx_op(std::string_view type, std::string_view domain) {
  const std::span<const OnnxOp> ops = all_onnx_ops(domain);
  const auto found = std::lower_bound(ops.begin(), ops.end(), type,
                                      [](const OnnxOp& op, std::string_view key) { return op.type < key; });
  return found != ops.end() && found->type == type ? &*found : nullptr;
}

}  // namespace bantam::compiler
