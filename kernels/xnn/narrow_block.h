// The last output channels of a float32 convolution of 1x1, where they fill XNNPACK's widest tile by half at
// most.
#pragma once

#include "kernel_support.h"
#include "xnn/output_blocks.h"

namespace bantam::kernels {

// How many channels at the end are better made by create_narrow_block; 0: none.
int32_t narrow_channels(const OpContext& context);
// Relies on narrow_channels(context) >= block.count, and on what create_conv2d relies on.
Status create_narrow_block(const OpContext& context, Kernel** out, OutputBlock block);

}  // namespace bantam::kernels
