// The kernels of this build, to be handed to the runtime.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

// Computes in float16 what a plan allows, on CPUs with arithmetic for it.
const KernelTable& kernel_table();

// The same kernels, but never in float16; and in float16 wherever there are kernels for it, though they may
// be slower than float32 ones (x86 converts for every operation). For tests.
const KernelTable& float32_kernel_table();
const KernelTable& float16_kernel_table();

}  // namespace bantam::kernels
