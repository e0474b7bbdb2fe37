// Transposes a few long rows into many short ones: planes of an image into pixels, a channel shuffle.
#pragma once

#include <cstddef>

namespace bantam::kernels {

// y[i * rows + r] = x[r * columns + i] for elements of 1 or 4 bytes.
using InterleaveRows = void (*)(const void* x, void* y, size_t columns);

// rows: 2 to 4; element: 1 or 4 bytes. Null for others.
InterleaveRows interleave_rows(size_t rows, size_t element);

}  // namespace bantam::kernels
