// Convolutions, pools, Resize and InstanceNorm: NCHW.
#include <cmath>

#include "export/onnx_builder.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

template <typename Window>
void set_window(onnx::NodeProto& proto, const Window& a, int64_t kernel_h, int64_t kernel_w) {
  set_attribute(proto, "kernel_shape", std::vector<int64_t>{kernel_h, kernel_w});
  set_attribute(proto, "strides", std::vector<int64_t>{a.stride_h, a.stride_w});
  set_attribute(proto, "pads", std::vector<int64_t>{a.pad_top, a.pad_left, a.pad_bottom, a.pad_right});
}

// [O, KH, KW, C/groups] -> ONNX's [C, O/groups, KH, KW].
Tensor input_major(const Tensor& weights, int64_t groups) {
  const Shape w = weights.type.shape;
  Tensor grouped = weights;
  grouped.type.shape = {groups, w[0] / groups, w[1], w[2], w[3]};
  Tensor result = permuted(grouped, {0, 4, 1, 2, 3});
  result.type.shape = {w[3] * groups, w[0] / groups, w[1], w[2]};
  return result;
}

void write_conv(OnnxBuilder& builder, const Node& node) {
  const Graph& graph = builder.graph();
  const auto& conv = node.attrs<plan::Conv2dT>();
  const bool transposed = node.code == OpCode::kConvTranspose2d;
  const Value& weights = graph.value(node.inputs[1]);
  const std::string w = transposed
                            ? builder.initializer(weights.name, input_major(*weights.constant, conv.groups))
                            : builder.name(node.inputs[1], Form::kPlanar);
  const std::string bias = node.inputs.size() > 2 ? builder.name(node.inputs[2], Form::kPlain) : "";
  onnx::NodeProto& proto = builder.add(transposed ? "ConvTranspose" : "Conv", node,
                                       {builder.name(node.inputs[0], Form::kPlanar), w, bias}, Form::kPlanar);
  set_window(proto, conv, weights.type.shape[1], weights.type.shape[2]);
  set_attribute(proto, "dilations", std::vector<int64_t>{conv.dilation_h, conv.dilation_w});
  set_attribute(proto, "group", static_cast<int64_t>(conv.groups));
  if (transposed)
    set_attribute(proto, "output_padding", std::vector<int64_t>{conv.output_pad_h, conv.output_pad_w});
}

void write_pool(OnnxBuilder& builder, const Node& node) {
  const auto& pool = node.attrs<plan::Pool2dT>();
  const bool average = node.code == OpCode::kAveragePool2d;
  if (average && (pool.dilation_h != 1 || pool.dilation_w != 1)) fail_to_write(node, "it is dilated");
  onnx::NodeProto& proto = builder.add(average ? "AveragePool" : "MaxPool", node,
                                       {builder.name(node.inputs[0], Form::kPlanar)}, Form::kPlanar);
  set_window(proto, pool, pool.kernel_h, pool.kernel_w);
  set_attribute(proto, "ceil_mode", static_cast<int64_t>(pool.ceil_mode));
  if (average) {
    set_attribute(proto, "count_include_pad", static_cast<int64_t>(pool.count_include_pad));
  } else {
    set_attribute(proto, "dilations", std::vector<int64_t>{pool.dilation_h, pool.dilation_w});
  }
}

const char* coordinates_name(const Node& node, plan::CoordinateMode mode) {
  switch (mode) {
    case plan::CoordinateMode::kHalfPixel:
      return "half_pixel";
    case plan::CoordinateMode::kAsymmetric:
      return "asymmetric";
    case plan::CoordinateMode::kAlignCorners:
      return "align_corners";
    case plan::CoordinateMode::kPytorchHalfPixel:
      return "pytorch_half_pixel";
    case plan::CoordinateMode::kTfCropAndResize:
      return "tf_crop_and_resize";
    case plan::CoordinateMode::kHalfPixelSymmetric:
      break;
  }
  fail_to_write(node, "its coordinates are half_pixel_symmetric, which opset 17 has not");
}

const char* nearest_name(plan::NearestMode mode) {
  switch (mode) {
    case plan::NearestMode::kRoundPreferFloor:
      return "round_prefer_floor";
    case plan::NearestMode::kRoundPreferCeil:
      return "round_prefer_ceil";
    case plan::NearestMode::kFloor:
      return "floor";
    case plan::NearestMode::kCeil:
      return "ceil";
  }
  return "";
}

void write_resize(OnnxBuilder& builder, const Node& node) {
  const auto& resize = node.attrs<plan::ResizeT>();
  const Shape& in = builder.graph().shape(node.inputs[0]);
  const Shape out = in_form(builder.graph().shape(node.outputs[0]), Form::kPlanar);
  const auto reached = [](int64_t size, float scale) {
    return static_cast<int64_t>(std::floor(static_cast<double>(size) * static_cast<double>(scale)));
  };
  const bool by_scales = reached(in[1], resize.scale_h) == out[2] && reached(in[2], resize.scale_w) == out[3];
  std::vector<std::string> inputs = {builder.name(node.inputs[0], Form::kPlanar), ""};
  if (resize.coordinates == plan::CoordinateMode::kTfCropAndResize) {
    const auto& r = resize.roi;
    inputs[1] = builder.initializer(
        node.name + "_roi",
        Tensor::of<float>({8}, std::vector<float>{0, 0, r.at(0), r.at(1), 1, 1, r.at(2), r.at(3)}));
  }
  if (by_scales) {
    inputs.push_back(builder.initializer(
        node.name + "_scales",
        Tensor::of<float>({4}, std::vector<float>{1, 1, resize.scale_h, resize.scale_w})));
  } else {
    inputs.insert(inputs.end(), {"", builder.ints(node.name + "_sizes", out)});
  }
  onnx::NodeProto& proto = builder.add("Resize", node, inputs, Form::kPlanar);
  const bool nearest = resize.mode == plan::ResizeMode::kNearest;
  set_attribute(proto, "mode", std::string(nearest ? "nearest" : "linear"));
  set_attribute(proto, "coordinate_transformation_mode",
                std::string(coordinates_name(node, resize.coordinates)));
  set_attribute(proto, "nearest_mode", std::string(nearest_name(resize.nearest)));
  set_attribute(proto, "extrapolation_value", resize.extrapolation);
}

void write_instance_norm(OnnxBuilder& builder, const Node& node) {
  if (builder.graph().shape(node.inputs[0]).size() != 4) fail_to_write(node, "its input is not 4-d");
  onnx::NodeProto& proto =
      builder.add("InstanceNormalization", node,
                  {builder.name(node.inputs[0], Form::kPlanar), builder.name(node.inputs[1], Form::kPlain),
                   builder.name(node.inputs[2], Form::kPlain)},
                  Form::kPlanar);
  set_attribute(proto, "epsilon", node.attrs<plan::InstanceNormT>().epsilon);
}

}  // namespace

void write_spatial(OnnxBuilder& builder, const Node& node) {
  switch (node.code) {
    case OpCode::kConv2d:
    case OpCode::kConvTranspose2d:
      return write_conv(builder, node);
    case OpCode::kResize:
      return write_resize(builder, node);
    case OpCode::kInstanceNorm:
      return write_instance_norm(builder, node);
    default:
      return write_pool(builder, node);
  }
}

}  // namespace bantam::compiler
