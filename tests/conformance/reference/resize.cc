// Resize (ONNX-10, 11, 13, 18) and Upsample (7, 9): nearest and linear along every axis.
#include <cmath>

#include "reference/node.h"

namespace bantam::tests {
namespace {

struct Axis {
  int64_t input, output;
  double scale;
  double roi_start = 0, roi_end = 1;
};

double source_of(const std::string& mode, const Axis& axis, int64_t x) {
  const double in = static_cast<double>(axis.input), out = static_cast<double>(axis.output),
               at = static_cast<double>(x);
  if (mode == "asymmetric") return at / axis.scale;
  if (mode == "align_corners") return out == 1 ? 0 : at * (in - 1) / (out - 1);
  if (mode == "pytorch_half_pixel") return out == 1 ? 0 : (at + 0.5) / axis.scale - 0.5;
  if (mode == "half_pixel_symmetric") {
    const double adjustment = out / (axis.scale * in);
    return in / 2 * (1 - adjustment) + (at + 0.5) / axis.scale - 0.5;
  }
  if (mode == "tf_crop_and_resize") {
    if (out == 1) return 0.5 * (axis.roi_start + axis.roi_end) * (in - 1);
    return axis.roi_start * (in - 1) + at * (axis.roi_end - axis.roi_start) * (in - 1) / (out - 1);
  }
  return (at + 0.5) / axis.scale - 0.5;  // half_pixel
}

double nearest(const std::string& mode, double x) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  return std::ceil(x - 0.5);  // round_prefer_floor
}

// Axes of X in order, from scales or sizes, which since opset 18 may be given for some axes only.
std::vector<Axis> read_axes(const Node& node, const Array& x) {
  std::vector<Axis> axes;
  for (int64_t dim : x.shape) axes.push_back({dim, dim, 1});
  Index chosen;
  for (int64_t i = 0; i < x.rank(); ++i) chosen.push_back(i);
  chosen = node.is("axes", chosen);
  const bool two_inputs = node.opset < 11 || node.proto.op_type() == "Upsample";
  const size_t scales_at = two_inputs ? 1 : 2;
  for (size_t i = 0; i < chosen.size(); ++i) {
    Axis& axis = axes[static_cast<size_t>(wrap(chosen[i], x.rank()))];
    if (!two_inputs && node.has_in(3)) {
      axis.output = node.in(3).ints()[i];
      axis.scale = static_cast<double>(axis.output) / static_cast<double>(axis.input);
    } else {
      const auto* attribute = node.attribute("scales");
      axis.scale = attribute != nullptr ? double{attribute->floats(static_cast<int>(i))}
                                        : node.in(scales_at).values[i];
      axis.output = static_cast<int64_t>(std::floor(static_cast<double>(axis.input) * axis.scale));
    }
    if (!two_inputs && node.has_in(1) && !node.in(1).values.empty()) {
      axis.roi_start = node.in(1).values[i];
      axis.roi_end = node.in(1).values[chosen.size() + i];
    }
  }
  return axes;
}

// Multilinear interpolation between the neighbours of `position`; what lies outside is the nearest edge.
double interpolate(const Array& x, const std::vector<double>& position, Index* at) {
  const size_t axis = at->size();
  if (axis == position.size()) return x.at(*at);
  const double low = std::floor(position[axis]), share = position[axis] - low;
  const auto value = [&](double index) {
    at->push_back(std::min(std::max(static_cast<int64_t>(index), int64_t{0}), x.shape[axis] - 1));
    const double result = interpolate(x, position, at);
    at->pop_back();
    return result;
  };
  return share == 0 ? value(low) : (1 - share) * value(low) + share * value(low + 1);
}

}  // namespace

Outputs run_resize(const Node& node) {
  const std::string& type = node.proto.op_type();
  if (type != "Resize" && type != "Upsample") return {};
  const bool old = type == "Upsample" || node.opset < 11;
  const std::string coordinates = node.s("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const std::string rounding = node.s("nearest_mode", old ? "floor" : "round_prefer_floor");
  const bool linear = node.s("mode", "nearest") == "linear";
  const Array& x = node.in(0);
  const std::vector<Axis> axes = read_axes(node, x);
  Index shape;
  for (const Axis& axis : axes) shape.push_back(axis.output);
  return {make(shape, [&](const Index& index) {
    std::vector<double> position;
    bool outside = false;
    for (size_t a = 0; a < axes.size(); ++a) {
      const bool kept = axes[a].scale == 1 && axes[a].roi_start == 0 && axes[a].roi_end == 1;
      const double source = kept ? static_cast<double>(index[a]) : source_of(coordinates, axes[a], index[a]);
      outside = outside || source < 0 || source > static_cast<double>(axes[a].input - 1);
      position.push_back(linear ? source : nearest(rounding, source));
    }
    if (outside && coordinates == "tf_crop_and_resize") return node.f("extrapolation_value", 0);
    Index at;
    return interpolate(x, position, &at);
  })};
}

}  // namespace bantam::tests
