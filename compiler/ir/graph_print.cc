#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/graph.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

// " clamp [0, 6]", with the int8 limits when they are set.
std::string print(const std::unique_ptr<plan::Clamp>& clamp) {
  if (clamp == nullptr) return "";
  if (clamp->q_min() == clamp->q_max()) return fmt::format(" clamp [{}, {}]", clamp->min(), clamp->max());
  return fmt::format(" clamp [{}, {}] = [{}, {}]", clamp->min(), clamp->max(), clamp->q_min(),
                     clamp->q_max());
}

// Strides, dilations and padding, which convolutions and pools share; what is default is left out.
template <typename T>
std::string print_window(const T& a) {
  std::string text;
  if (a.stride_h != 1 || a.stride_w != 1) text += fmt::format(" stride {}x{}", a.stride_h, a.stride_w);
  if (a.dilation_h != 1 || a.dilation_w != 1)
    text += fmt::format(" dilation {}x{}", a.dilation_h, a.dilation_w);
  if (a.pad_top != 0 || a.pad_bottom != 0 || a.pad_left != 0 || a.pad_right != 0) {
    text += fmt::format(" pad t{} b{} l{} r{}", a.pad_top, a.pad_bottom, a.pad_left, a.pad_right);
  }
  return text;
}

std::string print(const std::monostate&) { return ""; }
std::string print(const plan::Conv2dT& a) {
  std::string text = print_window(a);
  if (a.groups != 1) text += fmt::format(" groups {}", a.groups);
  if (a.output_pad_h != 0 || a.output_pad_w != 0) {
    text += fmt::format(" output_pad {}x{}", a.output_pad_h, a.output_pad_w);
  }
  return text + print(a.clamp);
}
std::string print(const plan::FullyConnectedT& a) { return print(a.clamp); }
std::string print(const plan::MatMulT& a) { return a.transpose_b ? " transpose_b" : ""; }
std::string print(const plan::Pool2dT& a) {
  return fmt::format(" kernel {}x{}{}{}{}{}", a.kernel_h, a.kernel_w, print_window(a),
                     a.count_include_pad ? " count_include_pad" : "", a.ceil_mode ? " ceil_mode" : "",
                     print(a.clamp));
}
std::string print(const plan::ReduceT& a) {
  return fmt::format(" {} axes [{}]{}", plan::EnumNameReduceKind(a.kind), fmt::join(a.axes, ","),
                     a.keep_dims ? " keep_dims" : "");
}
std::string print(const plan::ArgMaxT& a) {
  return fmt::format(" axis {}{}{}{}", a.axis, a.keep_dims ? " keep_dims" : "",
                     a.select_last ? " select_last" : "", a.minimum ? " minimum" : "");
}
std::string print(const plan::UnaryT& a) {
  return fmt::format(" {} alpha {} beta {}", plan::EnumNameUnaryKind(a.kind), a.alpha, a.beta);
}
std::string print(const plan::BinaryT& a) {
  return fmt::format(" {}{}", plan::EnumNameBinaryKind(a.kind), print(a.clamp));
}
std::string print(const plan::SoftmaxT& a) { return fmt::format(" axis {}{}", a.axis, a.log ? " log" : ""); }
std::string print(const plan::LayerNormT& a) { return fmt::format(" axes {} epsilon {}", a.axes, a.epsilon); }
std::string print(const plan::InstanceNormT& a) { return fmt::format(" epsilon {}", a.epsilon); }
std::string print(const plan::ConcatT& a) { return fmt::format(" axis {}", a.axis); }
std::string print(const plan::SliceT& a) {
  return fmt::format(" starts [{}] steps [{}]", fmt::join(a.starts, ","), fmt::join(a.steps, ","));
}
std::string print(const plan::PadT& a) {
  return fmt::format(" {} before [{}] after [{}] value {}", plan::EnumNamePadMode(a.mode),
                     fmt::join(a.before, ","), fmt::join(a.after, ","), a.value);
}
std::string print(const plan::TransposeT& a) { return fmt::format(" perm [{}]", fmt::join(a.perm, ",")); }
std::string print(const plan::GatherT& a) {
  return fmt::format(" axis {}{}", a.axis, a.elements ? " elements" : "");
}
std::string print(const plan::ResizeT& a) {
  return fmt::format(" {} {} {} scale {}x{}", plan::EnumNameResizeMode(a.mode),
                     plan::EnumNameCoordinateMode(a.coordinates), plan::EnumNameNearestMode(a.nearest),
                     a.scale_h, a.scale_w);
}

std::string print(const plan::NarrowFullyConnectedT& a) {
  return fmt::format(" {} bits{}{}", a.bits, a.quantize_rows ? " quantize_rows" : "", print(a.clamp));
}

std::string print_quantization(const Value& value) {
  if (!value.quantization) return "";
  const Quantization& q = *value.quantization;
  if (q.scales.size() == 1) return fmt::format(" q({}, {})", q.scales[0], q.zero_point);
  return fmt::format(" q({} scales)", q.scales.size());
}

std::string print_value(const Graph& graph, ValueId id) {
  if (id == kNoValue) return "-";
  const Value& value = graph.value(id);
  if (value.constant == nullptr) return fmt::format("%{}", id);
  return fmt::format("%{}:const {}{}", id, to_string(value.type), print_quantization(value));
}

std::string print_defined(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<std::string> texts;
  for (ValueId id : ids) {
    const Value& value = graph.value(id);
    texts.push_back(fmt::format("%{} {}{}", id, to_string(value.type), print_quantization(value)));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

std::string print_graph(const Graph& graph) {
  std::string text =
      fmt::format("graph '{}' {}\n", graph.name, graph.layout == Layout::kNchw ? "NCHW" : "NHWC");
  for (ValueId id : graph.inputs) {
    text += fmt::format("input {} '{}'\n", print_defined(graph, {id}), graph.value(id).name);
  }
  for (const Node& node : graph.nodes) {
    std::vector<std::string> inputs;
    for (ValueId id : node.inputs) inputs.push_back(print_value(graph, id));
    text += fmt::format("{} = {}({}){}  # {}\n", print_defined(graph, node.outputs), op_def(node.code).name,
                        fmt::join(inputs, ", "),
                        std::visit([](const auto& a) { return print(a); }, node.attributes), node.name);
  }
  for (ValueId id : graph.outputs) text += fmt::format("output %{} '{}'\n", id, graph.value(id).name);
  return text;
}

}  // namespace bantam::compiler
