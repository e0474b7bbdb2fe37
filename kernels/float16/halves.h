// Kernels of ops that read or write float16 tensors, alone or beside float32 ones. A matrix product or
// convolution computes in float16 if it is told to; ops of one element convert a piece at a time; for all
// others the tensors of the wrong type are converted as a whole, in the workspace.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

using Create = Status (*)(const OpContext& context, Kernel** out);

// See KernelTable::computes_float16: the first on any CPU for which there are kernels, the second on those
// with arithmetic for them.
bool has_float16_kernel(const OpContext& context);
bool float16_pays(const OpContext& context);

// Whether the op has a float16 tensor besides weights, or has to compute in float16.
bool has_halves(const OpContext& context);

// How each kind of op goes about it; `create` makes its kernel otherwise, kHalf for float16 tensors alone.
Status convert_halves(const OpContext& context, Create create, Kernel** out);
Status move_halves(const OpContext& context, Create create, Kernel** out);  // `create` takes any one type
Status compute_halves(const OpContext& context, Create create_half, Create create, Kernel** out);
Status pool_halves(const OpContext& context, Create create_half, Create create, Kernel** out);
Status unary_halves(const OpContext& context, Create create, Kernel** out);
Status binary_halves(const OpContext& context, Create create, Kernel** out);

template <Create kHalf>
Status compute_halves(const OpContext& context, Create create, Kernel** out) {
  return compute_halves(context, kHalf, create, out);
}
template <Create kHalf>
Status pool_halves(const OpContext& context, Create create, Kernel** out) {
  return pool_halves(context, kHalf, create, out);
}

}  // namespace bantam::kernels
