// The kernels of this build, to be handed to the runtime.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

const KernelTable& kernel_table();

}  // namespace bantam::kernels
