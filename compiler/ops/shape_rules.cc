#include "ops/shape_rules.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "bantam/compiler/error.h"
#include "ops/op_def.h"

namespace bantam::compiler {

void fail(const Node& node, const std::string& text) {
  throw CompileError(fmt::format("{} node '{}': {}", op_def(node.code).name, node.name, text));
}

void expect_inputs(const Node& node, size_t least, size_t most) {
  if (node.inputs.size() < least || node.inputs.size() > most) {
    fail(node, fmt::format("{} inputs, it takes {} to {}", node.inputs.size(), least, most));
  }
  for (size_t i = 0; i < least; ++i) {
    if (node.inputs[i] == kNoValue) fail(node, fmt::format("input {} is missing", i));
  }
}

void expect_inputs(const Node& node, size_t count) { expect_inputs(node, count, count); }

const TensorType& input_type(const Graph& graph, const Node& node, size_t i) {
  return graph.value(node.inputs[i]).type;
}

bool has_input(const Node& node, size_t i) { return i < node.inputs.size() && node.inputs[i] != kNoValue; }

const TensorType& output_type(const Graph& graph, const Node& node) {
  return graph.value(node.outputs[0]).type;
}

bool is_integer(DType dtype) {
  return dtype == DType::kInt64 || dtype == DType::kInt32 || dtype == DType::kUInt8;
}

void expect_dtype(const Graph& graph, const Node& node, size_t i, std::initializer_list<DType> dtypes) {
  const DType dtype = input_type(graph, node, i).dtype;
  if (std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end()) return;
  std::vector<const char*> names;
  for (DType allowed : dtypes) names.push_back(dtype_name(allowed));
  fail(node, fmt::format("input {} is {}; supported: {}", i, dtype_name(dtype), fmt::join(names, ", ")));
}

void expect_real(const Graph& graph, const Node& node, size_t i) {
  const Value& value = graph.value(node.inputs[i]);
  if (value.type.dtype == DType::kInt8 && value.quantization) return;
  expect_dtype(graph, node, i, {DType::kFloat32, DType::kFloat16});
}

void expect_same_dtype(const Graph& graph, const Node& node, size_t i) {
  const DType first = input_type(graph, node, 0).dtype;
  const DType dtype = input_type(graph, node, i).dtype;
  if (dtype != first) {
    fail(node, fmt::format("input {} is {}, input 0 is {}; they must be equal", i, dtype_name(dtype),
                           dtype_name(first)));
  }
}

void expect_rank(const Graph& graph, const Node& node, size_t i, size_t rank) {
  const Shape& shape = input_type(graph, node, i).shape;
  if (shape.size() != rank) {
    fail(node, fmt::format("input {} is [{}], it must have {} dimensions", i, to_string(shape), rank));
  }
}

void expect_vector(const Graph& graph, const Node& node, size_t i, int64_t length) {
  if (!has_input(node, i)) return;
  const Shape& shape = input_type(graph, node, i).shape;
  if (shape != Shape{length})
    fail(node, fmt::format("input {} is [{}], it must be [{}]", i, to_string(shape), length));
}

void expect_axis(const Node& node, int axis, size_t rank) {
  if (axis < 0 || static_cast<size_t>(axis) >= rank) {
    fail(node, fmt::format("axis {} of a tensor with {} dimensions", axis, rank));
  }
}

void expect_weights(const Graph& graph, const Node& node) {
  expect_real(graph, node, 0);
  switch (input_type(graph, node, 0).dtype) {
    case DType::kInt8:
      expect_dtype(graph, node, 1, {DType::kInt8});
      if (has_input(node, 2)) expect_dtype(graph, node, 2, {DType::kInt32});
      return;
    case DType::kFloat16:
      expect_dtype(graph, node, 1, {DType::kFloat16, DType::kFloat32});
      if (has_input(node, 2)) expect_dtype(graph, node, 2, {DType::kFloat16, DType::kFloat32});
      return;
    default:
      expect_dtype(graph, node, 1, {DType::kFloat32, DType::kFloat16});
      if (has_input(node, 2)) expect_dtype(graph, node, 2, {DType::kFloat32, DType::kFloat16});
  }
}

void expect_groups(const Node& node, int64_t groups, int64_t in, int64_t in_per_group, int64_t out) {
  if (groups < 1 || in_per_group * groups != in || out % groups != 0) {
    fail(node, fmt::format("{} input channels in {} groups, but weights for {} per group and {} outputs", in,
                           groups, in_per_group, out));
  }
}

void expect_window(const Node& node, const char* what, int64_t pads, int64_t kernel, int64_t stride,
                   int64_t dilation) {
  if (pads < 0 || kernel < 1 || stride < 1 || dilation < 1) {
    fail(node, fmt::format("{}: kernel {}, stride {}, dilation {}, pads {} make no window", what, kernel,
                           stride, dilation, pads));
  }
}

int64_t window_count(const Node& node, const char* what, int64_t in, int64_t pads, int64_t kernel,
                     int64_t stride, int64_t dilation) {
  expect_window(node, what, pads, kernel, stride, dilation);
  const int64_t extent = dilation * (kernel - 1) + 1;
  if (in + pads < extent) {
    fail(node, fmt::format("its window spans {} pixels, but a {} of {} with {} of padding has only {}",
                           extent, what, in, pads, in + pads));
  }
  return (in + pads - extent) / stride + 1;
}

std::optional<Shape> broadcast_shapes(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape out(rank, 1);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t dim_a = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    const int64_t dim_b = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    if (dim_a != dim_b && dim_a != 1 && dim_b != 1) return std::nullopt;
    out[i] = dim_a == 1 ? dim_b : dim_a;
  }
  return out;
}

Shape broadcast(const Node& node, const Shape& a, const Shape& b) {
  std::optional<Shape> shape = broadcast_shapes(a, b);
  if (!shape) fail(node, fmt::format("shapes [{}] and [{}] do not broadcast", to_string(a), to_string(b)));
  return *std::move(shape);
}

Shape spatial_shape(Layout layout, int64_t batch, int64_t channels, int64_t height, int64_t width) {
  if (layout == Layout::kNchw) return {batch, channels, height, width};
  return {batch, height, width, channels};
}

}  // namespace bantam::compiler
