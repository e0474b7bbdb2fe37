#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"
#include "ops/spatial/window.h"

namespace bantam::compiler {

TensorType infer_conv2d(const Graph& graph, const Node& node) {
  const auto& a = attributes_of<plan::Conv2dT>(node);
  expect_inputs(node, 2, 3);
  expect_weights(graph, node);
  expect_rank(graph, node, 0, 4);
  expect_rank(graph, node, 1, 4);
  const TensorType& x = input_type(graph, node, 0);
  const Shape& w = input_type(graph, node, 1).shape;
  const SpatialAxes axes = spatial_axes(graph.layout);
  expect_groups(node, a.groups, x.shape[axes.channel], w[axes.channel], w[0]);
  expect_vector(graph, node, 2, w[0]);
  const int64_t height = window_count(node, "height", x.shape[axes.height], a.pad_top + int64_t{a.pad_bottom},
                                      w[axes.height], a.stride_h, a.dilation_h);
  const int64_t width = window_count(node, "width", x.shape[axes.width], a.pad_left + int64_t{a.pad_right},
                                     w[axes.width], a.stride_w, a.dilation_w);
  return {x.dtype, spatial_shape(graph.layout, x.shape[0], w[0], height, width)};
}

ValueId convolution(NodeImporter& n, ValueId input, ValueId kernels, ValueId bias) {
  const int spatial = spatial_rank(n, input);
  const Shape weights = n.shape_of(kernels);
  if (weights.size() != n.shape_of(input).size()) {
    n.fail(fmt::format("weights [{}] for input [{}]: both must have as many dimensions", to_string(weights),
                       to_string(n.shape_of(input))));
  }
  const std::vector<int64_t> kernel(weights.begin() + 2, weights.end());
  if (n.attr_ints("kernel_shape", kernel) != kernel) {
    n.fail(fmt::format("kernel_shape contradicts the weights [{}]", to_string(weights)));
  }
  Window window = read_window(n, kernel);
  const ValueId x = add_height(n, input);
  resolve_auto_pad(window, n.shape_of(x));
  plan::Conv2dT attributes;
  set_window(attributes, window);
  attributes.groups = checked_int(n, n.attr_int("group", 1), "group", 1, INT32_MAX);
  std::vector<ValueId> inputs = {x, add_height(n, kernels)};
  if (bias != kNoValue) inputs.push_back(bias);
  return drop_height(n, n.emit(OpCode::kConv2d, std::move(inputs), std::move(attributes)), spatial);
}

// ONNX Conv 1, 11, 22.
void import_conv(NodeImporter& n) {
  expect_input_count(n, 2, 3);
  n.output(convolution(n, n.input(0), n.input(1), n.has_input(2) ? n.input(2) : kNoValue));
}

}  // namespace bantam::compiler
