#pragma once

#include "bantam/runtime/array.h"
#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

// The factor x_scale * w_scale / y_scale of each output channel of an int8 convolution, as XNNPACK multiplies
// them; `scales` has room for all. False when a sum of products, or its product with the factor, may leave
// int32: what happens then depends on the CPU.
bool make_conv_scales(const OpContext& context, Array<float>& scales);

}  // namespace bantam::kernels
