// An op whose kernel wants all floats in one type.
#pragma once

#include "float16/halves.h"

namespace bantam::kernels {

inline bool is_float(const TensorInfo& tensor) {
  return tensor.dtype == plan::DType::kFloat32 || tensor.dtype == plan::DType::kFloat16;
}

enum class Constants { kConvert, kKeep };

// The kernel that `create` makes when all floats are `type`: those that are not are converted in the
// workspace, before and after it; constants once, now, unless they are kept. No wrapper where nothing has to
// be converted. What `create` says otherwise.
Status create_staged(const OpContext& context, plan::DType type, Constants constants, Create create,
                     Kernel** out);

}  // namespace bantam::kernels
