// One factory per op. Each makes the kernel of a verified op or says why it can't: kUnsupported (dtypes, or a
// limit that the plan's verifier does not know), kOutOfMemory. Each states above its definition what it
// relies on.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

Status create_conv2d(const OpContext& context, Kernel** out);
Status create_conv_transpose2d(const OpContext& context, Kernel** out);
Status create_fully_connected(const OpContext& context, Kernel** out);
Status create_matmul(const OpContext& context, Kernel** out);
Status create_max_pool2d(const OpContext& context, Kernel** out);
Status create_average_pool2d(const OpContext& context, Kernel** out);
Status create_reduce(const OpContext& context, Kernel** out);
Status create_arg_max(const OpContext& context, Kernel** out);
Status create_unary(const OpContext& context, Kernel** out);
Status create_binary(const OpContext& context, Kernel** out);
Status create_where(const OpContext& context, Kernel** out);
Status create_cast(const OpContext& context, Kernel** out);
Status create_softmax(const OpContext& context, Kernel** out);
Status create_layer_norm(const OpContext& context, Kernel** out);
Status create_instance_norm(const OpContext& context, Kernel** out);
Status create_concat(const OpContext& context, Kernel** out);
Status create_slice(const OpContext& context, Kernel** out);
Status create_pad(const OpContext& context, Kernel** out);
Status create_transpose(const OpContext& context, Kernel** out);
Status create_tile(const OpContext& context, Kernel** out);
Status create_expand(const OpContext& context, Kernel** out);
Status create_gather(const OpContext& context, Kernel** out);
Status create_resize(const OpContext& context, Kernel** out);
Status create_copy(const OpContext& context, Kernel** out);  // Reshape too

}  // namespace bantam::kernels
