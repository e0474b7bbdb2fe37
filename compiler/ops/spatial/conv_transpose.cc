#include <algorithm>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"
#include "ops/spatial/window.h"

namespace bantam::compiler {
namespace {

int64_t transposed_size(const Node& node, const char* what, int64_t in, int64_t pads, int64_t kernel,
                        int64_t stride, int64_t dilation, int64_t output_pad) {
  expect_window(node, what, pads, kernel, stride, dilation);
  if (output_pad < 0) fail(node, fmt::format("output padding {} of the {}", output_pad, what));
  const int64_t out = (in - 1) * stride + output_pad + dilation * (kernel - 1) + 1 - pads;
  if (out < 1) fail(node, fmt::format("a {} of {} leaves no output", what, in));
  return out;
}

}  // namespace

TensorType infer_conv_transpose2d(const Graph& graph, const Node& node) {
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
  const int64_t height =
      transposed_size(node, "height", x.shape[axes.height], a.pad_top + int64_t{a.pad_bottom}, w[axes.height],
                      a.stride_h, a.dilation_h, a.output_pad_h);
  const int64_t width = transposed_size(node, "width", x.shape[axes.width], a.pad_left + int64_t{a.pad_right},
                                        w[axes.width], a.stride_w, a.dilation_w, a.output_pad_w);
  return {x.dtype, spatial_shape(graph.layout, x.shape[0], w[0], height, width)};
}

namespace {

// ONNX: W is [C, O/groups, KH, KW]; the op's is [O, C/groups, KH, KW].
ValueId output_major_weights(NodeImporter& n, ValueId weights, int64_t groups) {
  const Shape w = n.shape_of(weights);
  if (groups == 1) return n.transpose(weights, {1, 0, 2, 3});
  const ValueId grouped = n.reshape(weights, {groups, w[0] / groups, w[1], w[2], w[3]});
  return n.reshape(n.transpose(grouped, {0, 2, 1, 3, 4}), {w[1] * groups, w[0] / groups, w[2], w[3]});
}

struct OutputSize {
  std::array<int64_t, 2> padding = {0, 0};  // output_padding
  std::vector<int64_t> stated;              // output_shape; empty: it follows from the rest
};

OutputSize read_output_size(NodeImporter& n, const Window& window, int spatial) {
  OutputSize size;
  size.padding = read_pair(n, "output_padding", spatial, 0, 0);
  for (size_t i = 0; i < 2; ++i) {
    if (size.padding[i] >= std::max(window.stride[i], window.dilation[i]) && size.padding[i] > 0) {
      n.fail(fmt::format("output_padding {} must be smaller than stride {} or dilation {}", size.padding[i],
                         window.stride[i], window.dilation[i]));
    }
  }
  if (!n.has_attr("output_shape")) return size;
  size.stated.resize(2, 1);
  const std::vector<int64_t> shape = n.attr_ints("output_shape");
  if (shape.size() != static_cast<size_t>(spatial)) {
    n.fail(fmt::format("output_shape has {} entries, it must have {}", shape.size(), spatial));
  }
  for (size_t i = 0; i < shape.size(); ++i) {
    size.stated[i + 2 - shape.size()] = checked_int(n, shape[i], "output_shape", 1, INT32_MAX);
  }
  return size;
}

// ONNX ConvTranspose: total padding from the output's size, the odd pixel at the end for SAME_UPPER, else at
// the begin. An output larger than what the windows reach gets output padding instead.
void resolve_output(const NodeImporter& n, Window& window, OutputSize& size, const Shape& input) {
  const bool same = window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower;
  if (!same && size.stated.empty()) return;
  for (size_t i = 0; i < 2; ++i) {
    const int64_t out = size.stated.empty() ? input[i + 2] * window.stride[i] : size.stated[i];
    const int64_t total = window.stride[i] * (input[i + 2] - 1) + size.padding[i] + window.extent(i) - out;
    checked_int(n, total, "the padding that the output's size asks for", -(1 << 24), 1 << 24);
    size.padding[i] += std::max<int64_t>(-total, 0);
    if (size.padding[i] > 0 && size.padding[i] >= window.stride[i]) {
      n.fail(fmt::format("an output of {} where the windows reach {}; more than the stride is not supported",
                         out, out + total));
    }
    const int64_t pads = std::max<int64_t>(total, 0);
    window.pad_begin[i] = window.auto_pad == AutoPad::kSameUpper ? pads / 2 : pads - pads / 2;
    window.pad_end[i] = pads - window.pad_begin[i];
  }
}

}  // namespace

// ONNX ConvTranspose 1, 11, 22.
void import_conv_transpose(NodeImporter& n) {
  expect_input_count(n, 2, 3);
  const int spatial = spatial_rank(n, n.input(0));
  const Shape weights = n.shape_of(n.input(1));
  const Shape input = n.shape_of(n.input(0));
  if (weights.size() != input.size()) {
    n.fail(fmt::format("weights [{}] for input [{}]: both must have as many dimensions", to_string(weights),
                       to_string(input)));
  }
  const std::vector<int64_t> kernel(weights.begin() + 2, weights.end());
  if (n.attr_ints("kernel_shape", kernel) != kernel) {
    n.fail(fmt::format("kernel_shape contradicts the weights [{}]", to_string(weights)));
  }
  const int groups = checked_int(n, n.attr_int("group", 1), "group", 1, INT32_MAX);
  if (weights[0] % groups != 0 || weights[0] != input[1]) {
    n.fail(
        fmt::format("weights [{}] for {} input channels in {} groups", to_string(weights), input[1], groups));
  }
  Window window = read_window(n, kernel);
  OutputSize size = read_output_size(n, window, spatial);
  const ValueId x = add_height(n, n.input(0));
  resolve_output(n, window, size, n.shape_of(x));
  plan::Conv2dT attributes;
  set_window(attributes, window);
  attributes.groups = groups;
  attributes.output_pad_h = static_cast<int>(size.padding[0]);
  attributes.output_pad_w = static_cast<int>(size.padding[1]);
  std::vector<ValueId> inputs = {x, output_major_weights(n, add_height(n, n.input(1)), groups)};
  if (n.has_input(2)) inputs.push_back(n.input(2));
  n.output(
      drop_height(n, n.emit(OpCode::kConvTranspose2d, std::move(inputs), std::move(attributes)), spatial));
}

}  // namespace bantam::compiler
