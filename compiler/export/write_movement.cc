// What moves, selects or repeats elements.
#include <limits>

#include "export/onnx_builder.h"

namespace bantam::compiler {
namespace {

void write_concat(OnnxBuilder& builder, const Node& node) {
  const Form form = natural_form(builder, node);
  std::vector<std::string> inputs;
  for (ValueId id : node.inputs) inputs.push_back(builder.name(id, form));
  onnx::NodeProto& proto = builder.add("Concat", node, inputs, form);
  set_attribute(proto, "axis", axis_in_form(node.attrs<plan::ConcatT>().axis, form));
}

void write_slice(OnnxBuilder& builder, const Node& node) {
  const auto& slice = node.attrs<plan::SliceT>();
  const Form form = natural_form(builder, node);
  const Shape& in = builder.graph().shape(node.inputs[0]);
  const Shape& out = builder.graph().shape(node.outputs[0]);
  std::vector<int64_t> starts, ends, axes, steps;
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] == out[i] && slice.steps[i] == 1) continue;
    const int64_t end = slice.starts[i] + out[i] * slice.steps[i];
    starts.push_back(slice.starts[i]);
    ends.push_back(end < 0 ? std::numeric_limits<int32_t>::min() : end);
    axes.push_back(axis_in_form(static_cast<int64_t>(i), form));
    steps.push_back(slice.steps[i]);
  }
  const auto list = [&](const char* what, const std::vector<int64_t>& values) {
    return builder.ints(node.name + what, values);
  };
  builder.add("Slice", node,
              {builder.name(node.inputs[0], form), list("_starts", starts), list("_ends", ends),
               list("_axes", axes), list("_steps", steps)},
              form);
}

void write_pad(OnnxBuilder& builder, const Node& node) {
  const auto& pad = node.attrs<plan::PadT>();
  const Form form = natural_form(builder, node);
  const size_t rank = pad.before.size();
  std::vector<int64_t> pads(2 * rank);
  for (size_t i = 0; i < rank; ++i) {
    const size_t axis = static_cast<size_t>(axis_in_form(static_cast<int64_t>(i), form));
    pads[axis] = pad.before[i];
    pads[axis + rank] = pad.after[i];
  }
  constexpr const char* kModes[] = {"constant", "reflect", "edge"};
  if (pad.mode == plan::PadMode::kWrap) fail_to_write(node, "its mode is wrap, which opset 17 has not");
  const DType dtype = builder.graph().dtype(node.inputs[0]);
  if (dtype != DType::kFloat32 && pad.value != 0)
    fail_to_write(node, "it pads integers with other than zero");
  std::vector<std::string> inputs = {builder.name(node.inputs[0], form),
                                     builder.ints(node.name + "_pads", pads)};
  if (dtype == DType::kFloat32) inputs.push_back(builder.scalar(node.name + "_value", pad.value));
  set_attribute(builder.add("Pad", node, inputs, form), "mode",
                std::string(kModes[static_cast<size_t>(pad.mode)]));
}

// Those between NHWC and NCHW need no node: the value is there in the other form.
void write_transpose(OnnxBuilder& builder, const Node& node) {
  const auto& order = node.attrs<plan::TransposeT>().perm;
  const std::vector<int64_t> perm(order.begin(), order.end());
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  if (perm == std::vector<int64_t>{0, 2, 3, 1}) {
    builder.define(y, Form::kPlanar, builder.name(x, Form::kPlain));
  } else if (perm == std::vector<int64_t>{0, 3, 1, 2} && builder.has(x, Form::kPlanar)) {
    builder.define(y, Form::kPlain, builder.name(x, Form::kPlanar));
  } else {
    set_attribute(builder.add("Transpose", node, {builder.name(x, Form::kPlain)}, Form::kPlain), "perm",
                  perm);
  }
}

// Where H and W are 1, both forms hold the same elements in the same order.
void write_reshape(OnnxBuilder& builder, const Node& node) {
  const ValueId x = node.inputs[0];
  const Shape& in = builder.graph().shape(x);
  const bool same = in.size() == 4 && in[1] * in[2] == 1 && builder.has(x, Form::kPlanar);
  Shape out = builder.graph().shape(node.outputs[0]);
  if (builder.free_batch()) out[0] = 0;  // that of the input
  const std::string shape = builder.ints(node.name + "_shape", out);
  builder.add("Reshape", node, {builder.name(x, same ? Form::kPlanar : Form::kPlain), shape}, Form::kPlain);
}

void write_repeat(OnnxBuilder& builder, const Node& node) {
  const Shape& in = builder.graph().shape(node.inputs[0]);
  const Shape& out = builder.graph().shape(node.outputs[0]);
  std::vector<int64_t> list = out;
  const bool tile = node.code == OpCode::kTile;
  for (size_t i = 0; tile && i < out.size(); ++i) list[i] = out[i] / in[i];
  builder.add(tile ? "Tile" : "Expand", node,
              {builder.name(node.inputs[0], Form::kPlain), builder.ints(node.name + "_shape", list)},
              Form::kPlain);
}

void write_gather(OnnxBuilder& builder, const Node& node) {
  const auto& gather = node.attrs<plan::GatherT>();
  onnx::NodeProto& proto = builder.add(
      gather.elements ? "GatherElements" : "Gather", node,
      {builder.name(node.inputs[0], Form::kPlain), builder.name(node.inputs[1], Form::kPlain)}, Form::kPlain);
  set_attribute(proto, "axis", static_cast<int64_t>(gather.axis));
}

}  // namespace

void write_movement(OnnxBuilder& builder, const Node& node) {
  switch (node.code) {
    case OpCode::kConcat:
      return write_concat(builder, node);
    case OpCode::kSlice:
      return write_slice(builder, node);
    case OpCode::kPad:
      return write_pad(builder, node);
    case OpCode::kTranspose:
      return write_transpose(builder, node);
    case OpCode::kReshape:
      return write_reshape(builder, node);
    case OpCode::kGather:
      return write_gather(builder, node);
    default:
      return write_repeat(builder, node);
  }
}

}  // namespace bantam::compiler
