#include <algorithm>
#include <cmath>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/quantized/scheme.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

using plan::CoordinateMode;
using plan::NearestMode;
using plan::ResizeMode;

TensorType infer_resize(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::ResizeT>(node);
  expect_inputs(node, 1);
  expect_real(graph, node, 0);
  expect_rank(graph, node, 0, 4);
  const TensorType& x = input_type(graph, node, 0);
  const Shape& out = output_type(graph, node).shape;
  const size_t channel = spatial_axes(graph.layout).channel;
  if (out.size() != 4 || out[0] != x.shape[0] || out[channel] != x.shape[channel]) {
    fail(node, fmt::format("[{}] cannot be resized to [{}]", to_string(x.shape), to_string(out)));
  }
  if (attributes.coordinates == CoordinateMode::kTfCropAndResize && attributes.roi.size() != 4) {
    fail(node, "tf_crop_and_resize without a region");
  }
  if (!(attributes.scale_h > 0) || !(attributes.scale_w > 0)) fail(node, "a scale is not positive");
  return {x.dtype, out};
}

namespace {

// What happens to each axis of the input.
struct AxisResize {
  std::vector<float> scale;  // output size / input size, as the model states it
  Shape out;
  std::vector<float> roi_start;  // tf_crop_and_resize: in units of the axis' length
  std::vector<float> roi_end;

  explicit AxisResize(const Shape& x)
      : scale(x.size(), 1.0f), out(x), roi_start(x.size(), 0.0f), roi_end(x.size(), 1.0f) {}
  bool changes(size_t axis, const Shape& x) const {
    return out[axis] != x[axis] || scale[axis] != 1.0f || roi_start[axis] != 0.0f || roi_end[axis] != 1.0f;
  }
};

int64_t checked_size(const NodeImporter& n, double size) {
  if (!(size >= 1.0 && size <= INT32_MAX)) n.fail(fmt::format("a dimension resized to {}", size));
  return static_cast<int64_t>(size);
}

// Resizes axes h and w (h may be `rank`: none) by bringing them to the end of a 4-d tensor.
ValueId resize_pair(NodeImporter& n, ValueId x, plan::ResizeT attributes, const AxisResize& resize, size_t h,
                    size_t w) {
  const Shape shape = n.shape_of(x);
  std::vector<int> perm;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i != h && i != w) perm.push_back(static_cast<int>(i));
  }
  Shape others;
  for (int axis : perm) others.push_back(shape[static_cast<size_t>(axis)]);
  const bool has_height = h < shape.size();
  if (has_height) perm.push_back(static_cast<int>(h));
  perm.push_back(static_cast<int>(w));
  const int64_t batch = others.empty() ? 1 : others[0];
  const int64_t rest = others.empty() ? 1 : element_count({others.begin() + 1, others.end()});
  const ValueId planar = n.reshape(n.transpose(x, perm), {batch, rest, has_height ? shape[h] : 1, shape[w]});
  attributes.scale_h = has_height ? resize.scale[h] : 1.0f;
  attributes.scale_w = resize.scale[w];
  if (attributes.coordinates == CoordinateMode::kTfCropAndResize) {
    attributes.roi = {has_height ? resize.roi_start[h] : 0.0f, resize.roi_start[w],
                      has_height ? resize.roi_end[h] : 1.0f, resize.roi_end[w]};
  }
  const Shape out = {batch, rest, has_height ? resize.out[h] : 1, resize.out[w]};
  const ValueId y =
      n.emit(OpCode::kResize, {planar}, std::move(attributes), TensorType{n.type_of(x).dtype, out});
  Shape permuted = others;
  if (has_height) permuted.push_back(resize.out[h]);
  permuted.push_back(resize.out[w]);
  std::vector<int> inverse(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) inverse[static_cast<size_t>(perm[i])] = static_cast<int>(i);
  return n.transpose(n.reshape(y, permuted), inverse);
}

// The op resizes two axes. More are done two at a time, which nearest and linear interpolation allow.
ValueId resize_axes(NodeImporter& n, ValueId x, const plan::ResizeT& attributes, const AxisResize& resize) {
  const Shape shape = n.shape_of(x);
  std::vector<size_t> axes;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (resize.changes(i, shape)) axes.push_back(i);
  }
  // One of the last two axes alone is done with its neighbour, which keeps an image's own layout.
  const size_t rank = shape.size();
  if (axes.size() == 1 && rank == 4 && axes[0] >= 2) axes = {2, 3};
  ValueId y = x;
  for (size_t i = axes.size(); i > 0; i -= std::min<size_t>(i, 2)) {
    y = resize_pair(n, y, attributes, resize, i > 1 ? axes[i - 2] : rank, axes[i - 1]);
  }
  return y;
}

ResizeMode read_mode(NodeImporter& n) {
  const std::string mode = n.attr_string("mode", "nearest");
  if (mode == "nearest") return ResizeMode::kNearest;
  if (mode == "linear" || mode == "bilinear") return ResizeMode::kLinear;
  n.fail(fmt::format("mode '{}'; supported: nearest, linear", mode));
}

std::vector<float> read_floats(const NodeImporter& n, int i, std::string_view what) {
  const Tensor& tensor = n.constant(i, what);
  if (tensor.type.dtype != DType::kFloat32 || tensor.type.shape.size() != 1) {
    n.fail(fmt::format("{} is {}, it must be a list of floats", what, to_string(tensor.type)));
  }
  return tensor.to_float();
}

void set_scales(const NodeImporter& n, AxisResize& resize, const std::vector<float>& scales,
                const std::vector<int>& axes) {
  if (scales.size() != axes.size()) n.fail(fmt::format("{} scales for {} axes", scales.size(), axes.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = static_cast<size_t>(axes[i]);
    if (!(scales[i] > 0.0f)) n.fail(fmt::format("scale {} is not positive", scales[i]));
    resize.scale[axis] = scales[i];
    const float region = resize.roi_end[axis] - resize.roi_start[axis];
    resize.out[axis] = checked_size(n, std::floor(static_cast<float>(resize.out[axis]) * region * scales[i]));
  }
}

std::vector<int> all_axes(int rank) {
  std::vector<int> axes;
  for (int i = 0; i < rank; ++i) axes.push_back(i);
  return axes;
}

// Before opset 11 coordinates are asymmetric. Nearest takes the pixel below; where Resize 10 shrinks, ONNX's
// own test data take the one above.
void import_old(NodeImporter& n, const std::vector<float>& scales, bool shrinks_up) {
  const ValueId x = n.input(0);
  AxisResize resize(n.shape_of(x));
  set_scales(n, resize, scales, all_axes(n.rank_of(x)));
  const bool shrinks = std::any_of(scales.begin(), scales.end(), [](float scale) { return scale < 1.0f; });
  const bool grows = std::any_of(scales.begin(), scales.end(), [](float scale) { return scale > 1.0f; });
  plan::ResizeT attributes;
  attributes.mode = read_mode(n);
  attributes.coordinates = CoordinateMode::kAsymmetric;
  attributes.nearest = shrinks ? NearestMode::kCeil : NearestMode::kFloor;
  if (shrinks && !shrinks_up) n.fail("a scale below 1; supported: 1 and more");
  if (shrinks && grows && attributes.mode == ResizeMode::kNearest) {
    n.fail("nearest with scales below and above 1 is not supported before opset 11");
  }
  n.output(resize_axes(n, x, attributes, resize));
}

struct Coordinates {
  CoordinateMode coordinates;
  NearestMode nearest;
};

NearestMode read_nearest(NodeImporter& n) {
  const std::string nearest = n.attr_string("nearest_mode", "round_prefer_floor");
  if (nearest == "round_prefer_floor") return NearestMode::kRoundPreferFloor;
  if (nearest == "round_prefer_ceil") return NearestMode::kRoundPreferCeil;
  if (nearest == "floor") return NearestMode::kFloor;
  if (nearest == "ceil") return NearestMode::kCeil;
  n.fail(fmt::format("nearest_mode '{}'; supported: round_prefer_floor, round_prefer_ceil, floor, ceil",
                     nearest));
}

// tf_half_pixel_for_nn (opset 11, 12) is half_pixel moved by a half: floor there is round_prefer_ceil here,
// and round_prefer_floor there is ceil here.
Coordinates tf_half_pixel_for_nn(const NodeImporter& n, NearestMode nearest, ResizeMode mode) {
  const bool expressible = nearest == NearestMode::kFloor || nearest == NearestMode::kRoundPreferFloor;
  if (mode != ResizeMode::kNearest || !expressible) {
    n.fail(
        "tf_half_pixel_for_nn is supported with mode nearest and nearest_mode floor or round_prefer_floor");
  }
  return {CoordinateMode::kHalfPixel,
          nearest == NearestMode::kFloor ? NearestMode::kRoundPreferCeil : NearestMode::kCeil};
}

Coordinates read_coordinates(NodeImporter& n, ResizeMode mode) {
  const NearestMode nearest = read_nearest(n);
  const std::string text = n.attr_string("coordinate_transformation_mode", "half_pixel");
  if (text == "half_pixel") return {CoordinateMode::kHalfPixel, nearest};
  if (text == "half_pixel_symmetric") return {CoordinateMode::kHalfPixelSymmetric, nearest};
  if (text == "pytorch_half_pixel") return {CoordinateMode::kPytorchHalfPixel, nearest};
  if (text == "align_corners") return {CoordinateMode::kAlignCorners, nearest};
  if (text == "asymmetric") return {CoordinateMode::kAsymmetric, nearest};
  if (text == "tf_crop_and_resize") return {CoordinateMode::kTfCropAndResize, nearest};
  if (text == "tf_half_pixel_for_nn") return tf_half_pixel_for_nn(n, nearest, mode);
  n.fail(
      fmt::format("coordinate_transformation_mode '{}'; supported: half_pixel, half_pixel_symmetric, "
                  "pytorch_half_pixel, align_corners, asymmetric, tf_crop_and_resize, tf_half_pixel_for_nn",
                  text));
}

void set_region(const NodeImporter& n, AxisResize& resize, const std::vector<int>& axes) {
  const std::vector<float> roi = read_floats(n, 1, "roi");
  if (roi.size() != 2 * axes.size())
    n.fail(fmt::format("roi has {} entries for {} axes", roi.size(), axes.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    resize.roi_start[static_cast<size_t>(axes[i])] = roi[i];
    resize.roi_end[static_cast<size_t>(axes[i])] = roi[i + axes.size()];
  }
}

// Opset 18: with an aspect ratio to keep, all axes get the smallest or largest of the scales that `sizes`
// asks for.
void set_sizes(NodeImporter& n, AxisResize& resize, const std::vector<int>& axes) {
  const std::vector<int64_t> sizes = n.ints_of(n.constant(3, "sizes"), "sizes");
  if (sizes.size() != axes.size()) n.fail(fmt::format("{} sizes for {} axes", sizes.size(), axes.size()));
  const std::string policy = n.attr_string("keep_aspect_ratio_policy", "stretch");
  std::vector<float> scales;
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = static_cast<size_t>(axes[i]);
    const int size = checked_int(n, sizes[i], "sizes", 1, INT32_MAX);
    scales.push_back(static_cast<float>(size) / static_cast<float>(resize.out[axis]));
  }
  if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller") {
    n.fail(fmt::format("keep_aspect_ratio_policy '{}'; supported: stretch, not_larger, not_smaller", policy));
  }
  if (axes.empty()) return;
  const float common = policy == "not_smaller" ? *std::max_element(scales.begin(), scales.end())
                                               : *std::min_element(scales.begin(), scales.end());
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = static_cast<size_t>(axes[i]);
    resize.scale[axis] = policy == "stretch" ? scales[i] : common;
    const double kept = std::floor(static_cast<double>(common) * static_cast<double>(resize.out[axis]) + 0.5);
    resize.out[axis] = policy == "stretch" ? sizes[i] : checked_size(n, kept);
  }
}

bool given(const NodeImporter& n, int i) {
  return n.has_input(i) && element_count(n.shape_of(n.input(i))) > 0;
}

}  // namespace

// ONNX Resize 10, 11, 13, 18, 19.
void import_resize(NodeImporter& n) {
  const ValueId x = n.input(0);
  if (n.opset() < 11) {
    expect_input_count(n, 2, 2);
    return import_old(n, read_floats(n, 1, "scales"), true);
  }
  expect_input_count(n, 1, 4);
  n.ignore_attr("cubic_coeff_a");  // of mode cubic
  n.ignore_attr(
      "exclude_outside");  // changes nothing but cubic: linear weights outside fall on the edge pixel
  plan::ResizeT attributes;
  attributes.mode = read_mode(n);
  const Coordinates mode = read_coordinates(n, attributes.mode);
  attributes.coordinates = mode.coordinates;
  attributes.nearest = mode.nearest;
  attributes.extrapolation = n.attr_float("extrapolation_value", 0.0f);
  std::vector<int> axes = all_axes(n.rank_of(x));
  if (n.has_attr("axes")) {
    axes.clear();
    for (int64_t axis : n.attr_ints("axes")) axes.push_back(n.axis(axis, n.rank_of(x)));
    checked_axes(n, n.attr_ints("axes"), n.rank_of(x));
  }
  AxisResize resize(n.shape_of(x));
  if (attributes.coordinates == CoordinateMode::kTfCropAndResize) set_region(n, resize, axes);
  if (given(n, 2) == given(n, 3)) n.fail("exactly one of scales and sizes must be given");
  if (given(n, 2)) {
    n.ignore_attr("keep_aspect_ratio_policy");  // of sizes
    set_scales(n, resize, read_floats(n, 2, "scales"), axes);
  } else {
    set_sizes(n, resize, axes);
  }
  const bool shrinks =
      std::any_of(resize.scale.begin(), resize.scale.end(), [](float s) { return s < 1.0f; });
  if (n.attr_int("antialias", 0) != 0 && shrinks) n.fail("antialias=1 is not supported");
  const std::optional<Stored> stored = n.stored_of(x);
  if (stored && attributes.coordinates == CoordinateMode::kTfCropAndResize) {
    n.fail("tf_crop_and_resize of a quantized tensor is not supported");
  }
  const bool rounds = stored && attributes.mode == ResizeMode::kLinear;
  const ValueId y = resize_axes(n, x, attributes, resize);
  n.output(rounds ? quantized(n, y, *stored) : y);
}

// ONNX Upsample 7 (attribute), 9 (input); opset 10 put Resize in its place.
void import_upsample(NodeImporter& n) {
  if (n.opset() >= 9) {
    expect_input_count(n, 2, 2);
    return import_old(n, read_floats(n, 1, "scales"), false);
  }
  expect_input_count(n, 1, 1);
  import_old(n, n.attr_floats("scales"), false);
}

}  // namespace bantam::compiler
