// What a layer costs a CPU's kernels, which its multiply-accumulates do not tell.
#pragma once

#include <cstddef>

#include "ir/graph.h"

namespace bantam::compiler {

inline constexpr size_t kKernelTile = 16;  // output channels that int8 kernels compute together

// In multiply-accumulates of a large convolution: output channels count in whole tiles, each output for
// some more (to load, scale and store it), products of grouped convolutions thrice, values of other ops for
// ten. The figures are those of int8 kernels with AVX-512 VNNI; a comparison of layers, not a time.
double kernel_work(const Graph& graph, const Node& node);

}  // namespace bantam::compiler
