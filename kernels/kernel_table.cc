#include "bantam/kernels/kernel_table.h"

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
  Status (*create)(const OpContext& context, Kernel** out);
};

constexpr Entry kKernels[] = {
    {OpCode::kConv2d, create_conv2d},
    {OpCode::kConvTranspose2d, create_conv_transpose2d},
    {OpCode::kFullyConnected, create_fully_connected},
    {OpCode::kMatMul, create_matmul},
    {OpCode::kMaxPool2d, create_max_pool2d},
    {OpCode::kAveragePool2d, create_average_pool2d},
    {OpCode::kReduce, create_reduce},
    {OpCode::kArgMax, create_arg_max},
    {OpCode::kUnary, create_unary},
    {OpCode::kBinary, create_binary},
    {OpCode::kWhere, create_where},
    {OpCode::kCast, create_cast},
    {OpCode::kSoftmax, create_softmax},
    {OpCode::kLayerNorm, create_layer_norm},
    {OpCode::kInstanceNorm, create_instance_norm},
    {OpCode::kConcat, create_concat},
    {OpCode::kSlice, create_slice},
    {OpCode::kPad, create_pad},
    {OpCode::kTranspose, create_transpose},
    {OpCode::kReshape, create_copy},
    {OpCode::kTile, create_tile},
    {OpCode::kExpand, create_expand},
    {OpCode::kGather, create_gather},
    {OpCode::kResize, create_resize},
    {OpCode::kLookup, create_lookup},
    {OpCode::kQuantize, create_quantize},
    {OpCode::kDequantize, create_dequantize},
    {OpCode::kRequantize, create_requantize},
    {OpCode::kNormalizeImage, create_normalize_image},
    {OpCode::kCopy, create_copy},
};

Status create(const OpContext& context, Kernel** out) {
  for (const Entry& entry : kKernels) {
    if (entry.code == context.op->code()) return entry.create(context, out);
  }
  return unsupported(context, "no kernel for this op in this build");
}

constexpr KernelTable kTable = {create,       create_threads, destroy_threads, create_packed, destroy_packed,
                                packed_bytes, packing_id,     lend_packed,     list_packed};

}  // namespace

const KernelTable& kernel_table() { return kTable; }

}  // namespace bantam::kernels
