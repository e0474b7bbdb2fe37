#include <algorithm>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/movement/slice.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

using plan::PadMode;

TensorType infer_pad(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::PadT>(node);
  expect_inputs(node, 1);
  TensorType out = input_type(graph, node, 0);
  const size_t rank = out.shape.size();
  if (attributes.before.size() != rank || attributes.after.size() != rank) {
    fail(node, fmt::format("it does not describe {} dimensions", rank));
  }
  for (size_t i = 0; i < rank; ++i) {
    const int64_t before = attributes.before[i];
    const int64_t after = attributes.after[i];
    const int64_t most = attributes.mode == PadMode::kReflect ? out.shape[i] - 1 : out.shape[i];
    const bool bounded = attributes.mode == PadMode::kReflect || attributes.mode == PadMode::kWrap;
    if (before < 0 || after < 0 || (bounded && (before > most || after > most))) {
      fail(node, fmt::format("pads {} and {} of dimension {} of [{}] are out of range", before, after, i,
                             to_string(out.shape)));
    }
    out.shape[i] += before + after;
  }
  return out;
}

namespace {

struct Pads {
  std::vector<int64_t> before;
  std::vector<int64_t> after;
};

// Since opset 18 the pads may be given for some axes only.
Pads read_pads(NodeImporter& n, int rank) {
  const std::optional<std::vector<int64_t>> pads = n.ints_from_input_or_attr(1, "pads");
  if (!pads) n.fail("pads is missing");
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  if (n.has_input(3)) axes = n.ints_of(n.constant(3, "axes"), "axes");
  checked_axes(n, axes, rank);
  if (pads->size() != 2 * axes.size()) n.fail(fmt::format("{} pads for {} axes", pads->size(), axes.size()));
  Pads result{std::vector<int64_t>(static_cast<size_t>(rank)),
              std::vector<int64_t>(static_cast<size_t>(rank))};
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = static_cast<size_t>(n.axis(axes[i], rank));
    result.before[axis] = checked_int(n, (*pads)[i], "a pad", -INT32_MAX, INT32_MAX);
    result.after[axis] = checked_int(n, (*pads)[i + axes.size()], "a pad", -INT32_MAX, INT32_MAX);
  }
  return result;
}

PadMode read_mode(NodeImporter& n) {
  const std::string mode = n.attr_string("mode", "constant");
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  if (mode == "wrap") return PadMode::kWrap;
  n.fail(fmt::format("mode '{}'; supported: constant, reflect, edge, wrap", mode));
}

// What the integer `value` stands for.
float real_value(NodeImporter& n, const Tensor& value, const Stored& stored) {
  if (value.type.dtype != stored.dtype) {
    n.fail(
        fmt::format("constant_value is {}, the tensor {}", to_string(value.type), dtype_name(stored.dtype)));
  }
  const int q = stored.dtype == DType::kInt8 ? int{value.as<int8_t>()[0]} : int{value.as<uint8_t>()[0]};
  return static_cast<float>(q - stored.zero_point) * stored.scale;
}

// The op keeps its value as float32; an integer that this cannot hold is refused.
float read_value(NodeImporter& n) {
  const std::optional<Stored> stored = n.stored_of(n.input(0));
  if (!n.has_input(2)) {
    const float value = n.attr_float("value", 0.0f);
    return stored ? (value - static_cast<float>(stored->zero_point)) * stored->scale : value;
  }
  const Tensor& tensor = n.constant(2, "constant_value");
  if (tensor.elements() != 1) n.fail("constant_value must be a scalar");
  if (stored) return real_value(n, tensor, *stored);
  switch (tensor.type.dtype) {
    case DType::kFloat32:
      return tensor.as<float>()[0];
    case DType::kInt64:
    case DType::kInt32:
    case DType::kBool: {
      const int64_t value = tensor.to_int64()[0];
      if (value < -(1 << 24) || value > (1 << 24)) n.fail("constant_value must be in -2^24..2^24");
      return static_cast<float>(value);
    }
    default:
      n.fail(fmt::format("constant_value is {}; supported: float32, int64, int32, bool",
                         to_string(tensor.type)));
  }
}

// A negative pad takes elements away.
ValueId cropped(NodeImporter& n, ValueId x, Pads& pads) {
  const Shape shape = n.shape_of(x);
  SliceRange range = whole_range(shape);
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t first = std::max<int64_t>(-pads.before[i], 0);
    const int64_t last = std::max<int64_t>(-pads.after[i], 0);
    if (first + last > shape[i] || first >= std::max<int64_t>(shape[i], 1)) {
      n.fail(fmt::format("pads {} and {} take more than dimension {} of [{}] has", pads.before[i],
                         pads.after[i], i, to_string(shape)));
    }
    range.starts[i] = static_cast<int>(first);
    range.counts[i] = shape[i] - first - last;
    pads.before[i] = std::max<int64_t>(pads.before[i], 0);
    pads.after[i] = std::max<int64_t>(pads.after[i], 0);
  }
  return emit_slice(n, x, range);
}

}  // namespace

// ONNX Pad 2 (attributes), 11, 13, 18, 19, 21 (inputs).
void import_pad(NodeImporter& n) {
  expect_input_count(n, 1, 4);
  plan::PadT attributes;
  attributes.mode = read_mode(n);
  attributes.value = read_value(n);
  Pads pads = read_pads(n, n.rank_of(n.input(0)));
  const ValueId x = cropped(n, n.input(0), pads);
  attributes.before.assign(pads.before.begin(), pads.before.end());
  attributes.after.assign(pads.after.begin(), pads.after.end());
  const auto none = [](int pad) { return pad == 0; };
  const bool nothing = std::all_of(attributes.before.begin(), attributes.before.end(), none) &&
                       std::all_of(attributes.after.begin(), attributes.after.end(), none);
  n.output(nothing ? x : n.emit(OpCode::kPad, {x}, attributes));
}

}  // namespace bantam::compiler
