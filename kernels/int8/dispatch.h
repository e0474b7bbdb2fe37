#pragma once

#include "int8/highway_targets.h"

#include "hwy/targets.h"

namespace bantam::kernels {

// Makes HWY_DYNAMIC_POINTER give the function for this CPU.
inline void choose_target() {
  hwy::ChosenTarget& chosen = hwy::GetChosenTarget();
  if (!chosen.IsInitialized()) chosen.Update(hwy::SupportedTargets());
}

}  // namespace bantam::kernels
