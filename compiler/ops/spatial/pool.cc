#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"
#include "ops/spatial/window.h"

namespace bantam::compiler {
namespace {

// Windows along one dimension. With ceil_mode the last one may end past the padding, but it must start before
// the padding at the end (ONNX MaxPool 22, AveragePool 22).
int64_t pooled_size(const Node& node, const char* what, int64_t in, int64_t pad_begin, int64_t pad_end,
                    int64_t kernel, int64_t stride, int64_t dilation, bool ceil_mode) {
  if (!ceil_mode) return window_count(node, what, in, pad_begin + pad_end, kernel, stride, dilation);
  expect_window(node, what, pad_begin + pad_end, kernel, stride, dilation);
  const int64_t space = in + pad_begin + pad_end - (dilation * (kernel - 1) + 1);
  if (space < 0) return window_count(node, what, in, pad_begin + pad_end, kernel, stride, dilation);
  const int64_t out = (space + stride - 1) / stride + 1;
  return (out - 1) * stride >= in + pad_begin ? out - 1 : out;
}

}  // namespace

TensorType infer_pool2d(const Graph& graph, const Node& node) {
  const auto& a = attributes_of<plan::Pool2dT>(node);
  expect_inputs(node, 1);
  expect_real(graph, node, 0);
  expect_rank(graph, node, 0, 4);
  const TensorType& x = input_type(graph, node, 0);
  const SpatialAxes axes = spatial_axes(graph.layout);
  const int64_t height = pooled_size(node, "height", x.shape[axes.height], a.pad_top, a.pad_bottom,
                                     a.kernel_h, a.stride_h, a.dilation_h, a.ceil_mode);
  const int64_t width = pooled_size(node, "width", x.shape[axes.width], a.pad_left, a.pad_right, a.kernel_w,
                                    a.stride_w, a.dilation_w, a.ceil_mode);
  return {x.dtype, spatial_shape(graph.layout, x.shape[0], x.shape[axes.channel], height, width)};
}

namespace {

ValueId pool(NodeImporter& n, OpCode code, ValueId input) {
  const int spatial = spatial_rank(n, input);
  const std::vector<int64_t> kernel = n.attr_ints("kernel_shape");
  if (kernel.size() != static_cast<size_t>(spatial)) {
    n.fail(fmt::format("kernel_shape has {} entries, it must have {}", kernel.size(), spatial));
  }
  Window window = read_window(n, kernel);
  for (size_t i = 0; i < 2; ++i) {
    if (window.pad_begin[i] >= window.kernel[i] || window.pad_end[i] >= window.kernel[i]) {
      n.fail(fmt::format("pads {} and {} must be smaller than the kernel's {}", window.pad_begin[i],
                         window.pad_end[i], window.kernel[i]));
    }
  }
  const ValueId x = add_height(n, input);
  resolve_auto_pad(window, n.shape_of(x));
  plan::Pool2dT attributes;
  set_window(attributes, window);
  attributes.kernel_h = static_cast<int>(window.kernel[0]);
  attributes.kernel_w = static_cast<int>(window.kernel[1]);
  attributes.ceil_mode = n.attr_int("ceil_mode", 0) != 0 && window.auto_pad == AutoPad::kNotSet;
  if (code == OpCode::kAveragePool2d) attributes.count_include_pad = n.attr_int("count_include_pad", 0) != 0;
  return drop_height(n, n.emit(code, {x}, std::move(attributes)), spatial);
}

}  // namespace

// ONNX MaxPool 1, 8, 10, 11, 12, 22.
void import_max_pool(NodeImporter& n) {
  if (n.output_count() > 1) n.fail("its second output (Indices) is not supported");
  n.ignore_attr("storage_order");  // of Indices
  expect_input_count(n, 1, 1);
  n.output(pool(n, OpCode::kMaxPool2d, n.input(0)));
}

ValueId average_pool(NodeImporter& n, ValueId x) { return pool(n, OpCode::kAveragePool2d, x); }

// ONNX AveragePool 1, 7, 10, 11, 19, 22.
void import_average_pool(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.output(average_pool(n, n.input(0)));
}

}  // namespace bantam::compiler
