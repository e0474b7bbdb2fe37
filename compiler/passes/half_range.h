// What float16 can hold.
#pragma once

#include "ir/graph.h"

namespace bantam::compiler {

inline constexpr float kLargestHalf = 65504.0f;

float from_half(uint16_t half);  // IEEE 754 binary16, finite numbers

// Of float32 or float16 data; NaN when there is one.
float largest_magnitude(const Tensor& tensor);

}  // namespace bantam::compiler
