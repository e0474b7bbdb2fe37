#include "bantam/kernels/kernel_table.h"

#include "float16/halves.h"
#include "int8/int8_kernels.h"
#include "kernel_list.h"
#include "kernel_support.h"
#include "packed_weights.h"
#include "packing_id.h"
#include "threads.h"

namespace bantam::kernels {

namespace {

using plan::OpCode;

struct Entry {
  OpCode code;
  Create create;
  // For float16 tensors; null: `create` takes them.
  Status (*halves)(const OpContext& context, Create create, Kernel** out);
};

constexpr Entry kKernels[] = {
    {OpCode::kConv2d, create_conv2d, compute_halves},
    {OpCode::kConvTranspose2d, create_conv_transpose2d, compute_halves},
    {OpCode::kFullyConnected, create_fully_connected, compute_halves},
    {OpCode::kMatMul, create_matmul, compute_halves},
    {OpCode::kMaxPool2d, create_max_pool2d, pool_halves},
    {OpCode::kAveragePool2d, create_average_pool2d, convert_halves},
    {OpCode::kReduce, create_reduce, convert_halves},
    {OpCode::kArgMax, create_arg_max, convert_halves},
    {OpCode::kUnary, create_unary, unary_halves},
    {OpCode::kBinary, create_binary, binary_halves},
    {OpCode::kWhere, create_where, move_halves},
    {OpCode::kCast, create_cast, nullptr},
    {OpCode::kSoftmax, create_softmax, convert_halves},
    {OpCode::kLayerNorm, create_layer_norm, convert_halves},
    {OpCode::kInstanceNorm, create_instance_norm, convert_halves},
    {OpCode::kConcat, create_concat, move_halves},
    {OpCode::kSlice, create_slice, move_halves},
    {OpCode::kPad, create_pad, move_halves},
    {OpCode::kTranspose, create_transpose, move_halves},
    {OpCode::kReshape, create_copy, move_halves},
    {OpCode::kTile, create_tile, move_halves},
    {OpCode::kExpand, create_expand, move_halves},
    {OpCode::kGather, create_gather, move_halves},
    {OpCode::kResize, create_resize, convert_halves},
    {OpCode::kLookup, create_lookup, convert_halves},
    {OpCode::kQuantize, create_quantize, convert_halves},
    {OpCode::kDequantize, create_dequantize, convert_halves},
    {OpCode::kRequantize, create_requantize, convert_halves},
    {OpCode::kNormalizeImage, create_normalize_image, convert_halves},
    {OpCode::kCopy, create_copy, move_halves},
};

Status create(const OpContext& context, Kernel** out) {
  for (const Entry& entry : kKernels) {
    if (entry.code != context.op->code()) continue;
    const bool halves = entry.halves != nullptr && has_halves(context);
    return halves ? entry.halves(context, entry.create, out) : entry.create(context, out);
  }
  return unsupported(context, "no kernel for this op in this build");
}

constexpr KernelTable table(bool (*computes_float16)(const OpContext& context)) {
  return {create,       create_threads, destroy_threads, create_packed, destroy_packed,
          packed_bytes, packing_id,     lend_packed,     list_packed,   computes_float16};
}

constexpr KernelTable kTable = table(float16_pays);
constexpr KernelTable kFloat32Table = table(nullptr);
constexpr KernelTable kFloat16Table = table(has_float16_kernel);

}  // namespace

const KernelTable& kernel_table() { return kTable; }
const KernelTable& float32_kernel_table() { return kFloat32Table; }
const KernelTable& float16_kernel_table() { return kFloat16Table; }

}  // namespace bantam::kernels
