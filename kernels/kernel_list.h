// The factories in kernel_list.inc; those of int8_kernels.h are there too. Each makes the kernel of a
// verified op whose first input has the factory's type, or says why it can't: kUnsupported (other dtypes, or
// a limit that the plan's verifier does not know), kOutOfMemory. Each states above its definition what it
// relies on.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

template <plan::DType kType>
Status create_conv2d(const OpContext& context, Kernel** out);
template <plan::DType kType>
Status create_conv_transpose2d(const OpContext& context, Kernel** out);
template <plan::DType kType>
Status create_fully_connected(const OpContext& context, Kernel** out);
Status create_narrow_fully_connected(const OpContext& context, Kernel** out);
template <plan::DType kType>
Status create_matmul(const OpContext& context, Kernel** out);
template <plan::DType kType>
Status create_max_pool2d(const OpContext& context, Kernel** out);
Status create_float_average_pool2d(const OpContext& context, Kernel** out);
template <plan::DType kType>
Status create_reduce(const OpContext& context, Kernel** out);
Status create_arg_max(const OpContext& context, Kernel** out);
template <plan::DType kType>
Status create_unary(const OpContext& context, Kernel** out);
template <plan::DType kType>
Status create_binary(const OpContext& context, Kernel** out);
Status create_where(const OpContext& context, Kernel** out);
Status create_cast(const OpContext& context, Kernel** out);
Status create_float_softmax(const OpContext& context, Kernel** out);
Status create_layer_norm(const OpContext& context, Kernel** out);
Status create_instance_norm(const OpContext& context, Kernel** out);
Status create_concat(const OpContext& context, Kernel** out);
Status create_slice(const OpContext& context, Kernel** out);
Status create_pad(const OpContext& context, Kernel** out);
Status create_transpose(const OpContext& context, Kernel** out);
Status create_tile(const OpContext& context, Kernel** out);
Status create_expand(const OpContext& context, Kernel** out);
Status create_gather(const OpContext& context, Kernel** out);
Status create_float_resize(const OpContext& context, Kernel** out);
Status create_byte_resize(const OpContext& context, Kernel** out);  // int8
Status create_nearest_resize(const OpContext& context, Kernel** out);
Status create_copy(const OpContext& context, Kernel** out);  // Reshape too

}  // namespace bantam::kernels
