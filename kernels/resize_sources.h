// Which input pixels a resize reads, for every element type.
#pragma once

#include <cstdint>

#include "bantam/runtime/array.h"
#include "bantam/runtime/kernel.h"

namespace bantam::kernels {

// Where one output coordinate of an axis comes from.
struct ResizeSource {
  int32_t first = 0, second = 0;  // input coordinates
  float weight = 0;               // of the second
  bool outside = false;           // kTfCropAndResize beyond the input: the extrapolation value
};

// Fills the sources of the output's rows and columns. kUnsupported when the attributes contradict each other,
// kOutOfMemory. x and y are of rank 4, x not empty.
Status make_resize_sources(const OpContext& context, Array<ResizeSource>& rows, Array<ResizeSource>& columns);

}  // namespace bantam::kernels
