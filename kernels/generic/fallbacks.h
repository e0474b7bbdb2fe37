// Kernels of our own for what XNNPACK cannot do, or not as fast; called by the factories in xnn/.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

// float32 with constant weights, 3x3 or 5x5, stride 1 or 2, one output channel per group of one input
// channel; kUnsupported for others.
Status create_float_depthwise(const OpContext& context, Kernel** out);

// float32, 1x1 and stride 1, with constant weights so many of which are zero that it is faster; kUnsupported
// for others. Infinity and NaN times a zero count as zero.
Status create_sparse_conv2d(const OpContext& context, Kernel** out);

// float32, weights computed at run time.
Status create_generic_conv2d(const OpContext& context, Kernel** out);
Status create_generic_conv_transpose2d(const OpContext& context, Kernel** out);

// Dilation, windows that end past the padding, padding that counts. The average is of float32.
Status create_generic_int8_max_pool2d(const OpContext& context, Kernel** out);
Status create_generic_float_max_pool2d(const OpContext& context, Kernel** out);
Status create_generic_average_pool2d(const OpContext& context, Kernel** out);

}  // namespace bantam::kernels
