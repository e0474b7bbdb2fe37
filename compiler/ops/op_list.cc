// Every op of bantam, by op code.
#include "bantam/compiler/error.h"
#include "ops/infer.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

constexpr bool kSpatial = true;
constexpr bool kElementwise = true;

constexpr OpDef kOps[] = {
    {OpCode::kConv2d, "Conv2d", infer_conv2d, Int8Rule::kWeights, kSpatial},
    {OpCode::kConvTranspose2d, "ConvTranspose2d", infer_conv_transpose2d, Int8Rule::kWeights, kSpatial},
    {OpCode::kFullyConnected, "FullyConnected", infer_fully_connected, Int8Rule::kWeights},
    {OpCode::kMatMul, "MatMul", infer_mat_mul, Int8Rule::kNone},
    {OpCode::kMaxPool2d, "MaxPool2d", infer_pool2d, Int8Rule::kSameScale, kSpatial},
    {OpCode::kAveragePool2d, "AveragePool2d", infer_pool2d, Int8Rule::kFree, kSpatial},
    {OpCode::kReduce, "Reduce", infer_reduce, Int8Rule::kFree},
    {OpCode::kArgMax, "ArgMax", infer_arg_max, Int8Rule::kNone},
    {OpCode::kUnary, "Unary", infer_unary, Int8Rule::kLookup, !kSpatial, kElementwise},
    {OpCode::kBinary, "Binary", infer_binary, Int8Rule::kFree, !kSpatial, kElementwise},
    {OpCode::kWhere, "Where", infer_where, Int8Rule::kSameScale, !kSpatial, kElementwise},
    {OpCode::kCast, "Cast", infer_cast, Int8Rule::kNone, !kSpatial, kElementwise},
    {OpCode::kSoftmax, "Softmax", infer_softmax, Int8Rule::kFree},
    {OpCode::kLayerNorm, "LayerNorm", infer_layer_norm, Int8Rule::kNone},
    {OpCode::kInstanceNorm, "InstanceNorm", infer_instance_norm, Int8Rule::kNone, kSpatial},
    {OpCode::kConcat, "Concat", infer_concat, Int8Rule::kSameScale},
    {OpCode::kSlice, "Slice", infer_slice, Int8Rule::kSameScale},
    {OpCode::kPad, "Pad", infer_pad, Int8Rule::kSameScale},
    {OpCode::kTranspose, "Transpose", infer_transpose, Int8Rule::kSameScale},
    {OpCode::kReshape, "Reshape", infer_reshape, Int8Rule::kSameScale},
    {OpCode::kTile, "Tile", infer_tile, Int8Rule::kSameScale},
    {OpCode::kExpand, "Expand", infer_expand, Int8Rule::kSameScale},
    {OpCode::kGather, "Gather", infer_gather, Int8Rule::kSameScale},
    {OpCode::kResize, "Resize", infer_resize, Int8Rule::kSameScale, kSpatial},
    {OpCode::kLookup, "Lookup", infer_lookup, Int8Rule::kNone, !kSpatial, kElementwise},
    {OpCode::kQuantize, "Quantize", infer_quantize, Int8Rule::kNone, !kSpatial, kElementwise},
    {OpCode::kDequantize, "Dequantize", infer_dequantize, Int8Rule::kNone, !kSpatial, kElementwise},
    {OpCode::kRequantize, "Requantize", infer_requantize, Int8Rule::kNone, !kSpatial, kElementwise},
    {OpCode::kNormalizeImage, "NormalizeImage", infer_normalize_image, Int8Rule::kNone},
    {OpCode::kCopy, "Copy", infer_copy, Int8Rule::kSameScale, !kSpatial, kElementwise},
    {OpCode::kNarrowFullyConnected, "NarrowFullyConnected", infer_narrow_fully_connected, Int8Rule::kNone},
};

constexpr bool ordered_by_code() {
  for (size_t i = 0; i < std::size(kOps); ++i) {
    if (static_cast<size_t>(kOps[i].code) != i + 1) return false;
  }
  return std::size(kOps) == static_cast<size_t>(OpCode::MAX);
}
static_assert(ordered_by_code());

}  // namespace

const OpDef& op_def(OpCode code) {
  const size_t index = static_cast<size_t>(code);
  if (index == 0 || index > std::size(kOps)) throw InternalError("an op code that does not exist");
  return kOps[index - 1];
}

std::span<const OpDef> all_ops() { return kOps; }

}  // namespace bantam::compiler
