// What the shape rules of the ops share.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

// CompileError: "Conv2d node 'conv1': text".
[[noreturn]] void fail(const Node& node, const std::string& text);

// Fails unless the node has `least` to `most` inputs, of which the first `least` are not left out.
void expect_inputs(const Node& node, size_t least, size_t most);
void expect_inputs(const Node& node, size_t count);

const TensorType& input_type(const Graph& graph, const Node& node, size_t i);
bool has_input(const Node& node, size_t i);
// The type that the output value already has.
const TensorType& output_type(const Graph& graph, const Node& node);

bool is_integer(DType dtype);

// Fails unless input i has one of `dtypes`.
void expect_dtype(const Graph& graph, const Node& node, size_t i, std::initializer_list<DType> dtypes);
// Fails unless input i is float32, float16 or quantized int8.
void expect_real(const Graph& graph, const Node& node, size_t i);
// Fails unless input i has the dtype of input 0.
void expect_same_dtype(const Graph& graph, const Node& node, size_t i);
void expect_rank(const Graph& graph, const Node& node, size_t i, size_t rank);
// Fails unless optional input i, where there is one, is [length].
void expect_vector(const Graph& graph, const Node& node, size_t i, int64_t length);
void expect_axis(const Node& node, int axis, size_t rank);

// Weights (input 1) and bias (input 2) of a convolution or matrix product: float16 or float32 weights for floats;
// int8 and int32 for int8.
void expect_weights(const Graph& graph, const Node& node);
// Fails unless `in` channels in `groups` fit weights for `in_per_group` that make `out` channels.
void expect_groups(const Node& node, int64_t groups, int64_t in, int64_t in_per_group, int64_t out);

// Fails unless sizes are at least 1 and pads at least 0.
void expect_window(const Node& node, const char* what, int64_t pads, int64_t kernel, int64_t stride,
                   int64_t dilation);
// How often a window fits along a dimension; `what` names it. Fails when it never does.
int64_t window_count(const Node& node, const char* what, int64_t in, int64_t pads, int64_t kernel,
                     int64_t stride, int64_t dilation);

// ONNX multidirectional broadcasting; empty when the shapes do not fit.
std::optional<Shape> broadcast_shapes(const Shape& a, const Shape& b);
// The same; fails when they do not fit.
Shape broadcast(const Node& node, const Shape& a, const Shape& b);

// The node's attributes; an op without its attributes is a compiler error.
template <typename T>
const T& attributes_of(const Node& node) {
  if (const T* attributes = std::get_if<T>(&node.attributes)) return *attributes;
  fail(node, "it has no attributes of its kind");
}

// Where the dimensions of a 4-d tensor of a spatial op stand. The same holds for the weights of convolutions,
// with the channels of one group.
struct SpatialAxes {
  size_t channel, height, width;
};
constexpr SpatialAxes spatial_axes(Layout layout) {
  return layout == Layout::kNchw ? SpatialAxes{1, 2, 3} : SpatialAxes{3, 1, 2};
}
Shape spatial_shape(Layout layout, int64_t batch, int64_t channels, int64_t height, int64_t width);

}  // namespace bantam::compiler
