// Reduce, ArgMax and Softmax: along axes.
#include <algorithm>

#include "export/onnx_builder.h"

namespace bantam::compiler {
namespace {

const char* reduce_type(plan::ReduceKind kind) {
  switch (kind) {
    case plan::ReduceKind::kSum:
      return "ReduceSum";
    case plan::ReduceKind::kMean:
      return "ReduceMean";
    case plan::ReduceKind::kMax:
      return "ReduceMax";
    case plan::ReduceKind::kMin:
      return "ReduceMin";
    case plan::ReduceKind::kL2:
      return "ReduceL2";
    case plan::ReduceKind::kL1:
      return "ReduceL1";
    case plan::ReduceKind::kProd:
      return "ReduceProd";
    case plan::ReduceKind::kSumSquare:
      return "ReduceSumSquare";
  }
  return "";
}

// Whether the axes that stay have the same order in both forms: channels last, or alone.
bool order_stays(const std::vector<int64_t>& axes) {
  const auto reduced = [&](int64_t axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
  return reduced(3) || (reduced(1) && reduced(2));
}

void write_reduce(OnnxBuilder& builder, const Node& node) {
  const auto& reduce = node.attrs<plan::ReduceT>();
  const ValueId x = node.inputs[0];
  std::vector<int64_t> axes(reduce.axes.begin(), reduce.axes.end());
  const bool planar = builder.graph().shape(x).size() == 4 && !builder.graph().is_constant(x) &&
                      builder.has(x, Form::kPlanar) && (reduce.keep_dims || order_stays(axes));
  const Form form = planar ? Form::kPlanar : Form::kPlain;
  for (int64_t& axis : axes) axis = axis_in_form(axis, form);
  std::sort(axes.begin(), axes.end());
  std::vector<std::string> inputs = {builder.name(x, form)};
  const bool axes_as_input = reduce.kind == plan::ReduceKind::kSum;
  if (axes_as_input) inputs.push_back(builder.ints(node.name + "_axes", axes));
  onnx::NodeProto& proto =
      builder.add(reduce_type(reduce.kind), node, inputs, reduce.keep_dims ? form : Form::kPlain);
  if (!axes_as_input) set_attribute(proto, "axes", axes);
  set_attribute(proto, "keepdims", static_cast<int64_t>(reduce.keep_dims));
}

void write_arg_max(OnnxBuilder& builder, const Node& node) {
  const auto& arg = node.attrs<plan::ArgMaxT>();
  onnx::NodeProto& proto = builder.add(arg.minimum ? "ArgMin" : "ArgMax", node,
                                       {builder.name(node.inputs[0], Form::kPlain)}, Form::kPlain);
  set_attribute(proto, "axis", static_cast<int64_t>(arg.axis));
  set_attribute(proto, "keepdims", static_cast<int64_t>(arg.keep_dims));
  set_attribute(proto, "select_last_index", static_cast<int64_t>(arg.select_last));
}

void write_softmax(OnnxBuilder& builder, const Node& node) {
  const auto& softmax = node.attrs<plan::SoftmaxT>();
  const Form form = natural_form(builder, node);
  const int64_t rank = static_cast<int64_t>(builder.graph().shape(node.inputs[0]).size());
  const int64_t axis = softmax.axis < 0 ? softmax.axis + rank : softmax.axis;
  onnx::NodeProto& proto =
      builder.add(softmax.log ? "LogSoftmax" : "Softmax", node, {builder.name(node.inputs[0], form)}, form);
  set_attribute(proto, "axis", axis_in_form(axis, form));
}

}  // namespace

void write_reduction(OnnxBuilder& builder, const Node& node) {
  if (node.code == OpCode::kReduce) return write_reduce(builder, node);
  if (node.code == OpCode::kArgMax) return write_arg_max(builder, node);
  write_softmax(builder, node);
}

}  // namespace bantam::compiler
