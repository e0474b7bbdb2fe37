// The quantization that a model brings along: an op between a Dequantize and a Quantize becomes the int8 op,
// in the model's own scales. Ops that only move data take the int8 tensors along. What cannot be absorbed
// stays as it is, a float op between Dequantize and Quantize, and a note says why.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bantam/compiler/error.h"
#include "ops/op_def.h"
#include "passes/pass.h"
#include "passes/rewriter.h"
#include "quantize/adopt_weights.h"
#include "quantize/assign.h"
#include "quantize/int8_form.h"

namespace bantam::compiler {
namespace {

// Whether int8 elements of the output are those of the input, unrounded.
bool moves_exactly(const Graph& graph, const Node& node) {
  if (int8_rule(graph, node) != Int8Rule::kSameScale) return false;
  if (node.code == OpCode::kResize) return node.attrs<plan::ResizeT>().mode == plan::ResizeMode::kNearest;
  if (node.code != OpCode::kPad) return true;
  const auto& pad = node.attrs<plan::PadT>();
  return pad.mode != plan::PadMode::kConstant || pad.value == 0.0f;
}

// A constant operand on the grid that the model gave it, or that of a single number.
std::optional<Quantization> grid_of(const Tensor& tensor) {
  const std::span<const float> data = tensor.as<float>();
  if (data.empty()) return std::nullopt;
  const auto [low, high] = std::minmax_element(data.begin(), data.end());
  if (*low == *high) return quantization_of_constant(tensor);
  if (!tensor.steps || tensor.steps->sizes.size() != 1) return std::nullopt;
  const float step = tensor.steps->sizes[0];
  const float first = std::nearbyint(*low / step), last = std::nearbyint(*high / step);
  if (last - first > 255) return std::nullopt;
  const bool centred = first >= -128 && last <= 127;
  return Quantization{{step}, centred ? 0 : static_cast<int32_t>(-128 - first)};
}

class Adopter {
 public:
  Adopter(Graph& graph, PassContext& context)
      : graph_(graph),
        context_(context),
        uses_(graph),
        rewriter_(graph),
        int8_(graph.values.size(), kNoValue),
        float_(graph.values.size(), false),
        made_(graph.values.size(), false) {}

  // How many ops stay float between quantized tensors.
  int run() {
    for (const ValueId id : graph_.inputs) float_[index(id)] = true;
    for (Node& node : rewriter_.old_nodes()) visit(node);
    for (const ValueId id : graph_.outputs) {
      if (graph_.dtype(id) == DType::kFloat32) as_float(id);
    }
    return kept_;
  }

 private:
  static size_t index(ValueId id) { return static_cast<size_t>(id); }
  const Quantization& quantization(ValueId id) const { return *graph_.value(id).quantization; }

  void visit(Node& node) {
    if (node.code == OpCode::kQuantize) return visit_quantize(node);
    if (node.code == OpCode::kDequantize && int8_form(node.inputs[0]) != kNoValue) {
      int8_[index(node.outputs[0])] = int8_form(node.inputs[0]);
      return;
    }
    if (move(node)) return;
    std::string reason;
    if (absorb(node, reason)) return;
    keep(node, reason);
  }

  // The int8 tensor that a float value is the dequantization of, or that an int8 value is.
  ValueId int8_form(ValueId id) const {
    if (id == kNoValue || graph_.is_constant(id)) return kNoValue;
    const ValueId known = int8_[index(id)];
    return known == kNoValue && graph_.dtype(id) == DType::kInt8 ? id : known;
  }

  void visit_quantize(Node& node) {
    const ValueId output = node.outputs[0];
    if (made_[index(output)]) return;
    const ValueId source = int8_form(node.inputs[0]);
    if (source == kNoValue) return rewriter_.keep(std::move(node));
    const bool same = quantization(source) == quantization(output);
    if (same && !graph_.is_output(output)) {
      int8_[index(output)] = source;
    } else {
      rewriter_.add_into(output, same ? OpCode::kCopy : OpCode::kRequantize, node.name, {source});
    }
  }

  ValueId as_float(ValueId id) {
    if (id == kNoValue || graph_.is_constant(id) || float_[index(id)]) return id;
    if (int8_[index(id)] == kNoValue) throw InternalError("adopt: a value that nothing makes");
    rewriter_.add_into(id, OpCode::kDequantize, graph_.value(id).name, {int8_[index(id)]});
    float_[index(id)] = true;
    return id;
  }

  void keep(Node& node, const std::string& reason) {
    bool quantized = reads_only(node.outputs[0], OpCode::kQuantize);
    for (ValueId& id : node.inputs) {
      if (id == kNoValue || graph_.is_constant(id)) continue;
      const ValueId form = int8_form(id);
      quantized = quantized || form != kNoValue;
      id = graph_.dtype(id) == DType::kInt8 ? form : as_float(id);
    }
    if (graph_.dtype(node.outputs[0]) != DType::kInt8) float_[index(node.outputs[0])] = true;
    if (quantized && graph_.dtype(node.outputs[0]) == DType::kFloat32) {
      graph_.note(node.name, fmt::format("{} stays float32 beside quantized tensors: {}",
                                         op_def(node.code).name, reason));
      ++kept_;
    }
    rewriter_.keep(std::move(node));
  }

  bool reads_only(ValueId id, OpCode code) const {
    const std::vector<int>& readers = uses_.readers[index(id)];
    return !readers.empty() && !graph_.is_output(id) &&
           std::all_of(readers.begin(), readers.end(),
                       [&](int i) { return codes_[static_cast<size_t>(i)] == code; });
  }

  // The tensor that the op's result is quantized to, when nothing else is done with it.
  ValueId wanted_output(const Node& node, std::string& reason) const {
    const std::vector<int>& readers = uses_.readers[index(node.outputs[0])];
    if (!reads_only(node.outputs[0], OpCode::kQuantize)) {
      const bool any = std::any_of(readers.begin(), readers.end(), [&](int i) {
        return codes_[static_cast<size_t>(i)] == OpCode::kQuantize;
      });
      reason = any ? "its result is also read unquantized" : "its result is not quantized";
      return kNoValue;
    }
    const ValueId first = outputs_[static_cast<size_t>(readers[0])];
    for (const int reader : readers) {
      if (quantization(outputs_[static_cast<size_t>(reader)]) != quantization(first)) {
        reason = "its result is quantized in two ways";
        return kNoValue;
      }
    }
    return first;
  }

  bool move(Node& node) {
    if (graph_.dtype(node.outputs[0]) != DType::kFloat32 || !moves_exactly(graph_, node)) return false;
    ValueId first = kNoValue;
    for (const ValueId id : data_inputs(graph_, node)) {
      const ValueId form = int8_form(id);
      if (form == kNoValue || (first != kNoValue && quantization(form) != quantization(first))) return false;
      first = form;
    }
    if (first == kNoValue) return false;
    const Quantization q = quantization(first);
    const ValueId output = node.outputs[0];
    const ValueId result = graph_.add_value(graph_.value(output).name, {DType::kInt8, graph_.shape(output)});
    graph_.value(result).quantization = q;
    emit(node, result, q);
    int8_[index(output)] = result;
    return true;
  }

  // Emits the op on the int8 forms of its data.
  void emit(Node& node, ValueId result, const Quantization& q) {
    std::vector<ValueId> inputs = node.inputs;
    for (ValueId& id : inputs) id = int8_form(id) == kNoValue ? id : int8_form(id);
    set_int8_clamp(node, q);
    rewriter_.add_into(result, node.code, node.name, std::move(inputs), std::move(node.attributes));
  }

  bool has_int8_kernel(const Node& node) const {
    if (node.code == OpCode::kNormalizeImage) return true;
    if (node.code == OpCode::kSoftmax) return !node.attrs<plan::SoftmaxT>().log;
    return int8_rule(graph_, node) != Int8Rule::kNone;
  }

  bool absorb(Node& node, std::string& reason) {
    if (graph_.dtype(node.outputs[0]) != DType::kFloat32) return false;
    if (!has_int8_kernel(node)) {
      reason = "it has no int8 kernel";
      return false;
    }
    const ValueId output = wanted_output(node, reason);
    if (output == kNoValue || !inputs_are_int8(node, reason) || !become_int8(node, output, reason))
      return false;
    if (!graph_.is_output(output)) graph_.value(output).name = graph_.value(node.outputs[0]).name;
    int8_[index(node.outputs[0])] = output;
    made_[index(output)] = true;
    return true;
  }

  bool inputs_are_int8(const Node& node, std::string& reason) const {
    if (node.code == OpCode::kNormalizeImage) return true;
    for (const ValueId id : data_inputs(graph_, node)) {
      if (graph_.is_constant(id) || int8_form(id) != kNoValue) continue;
      reason = fmt::format("its input '{}' is not quantized", graph_.value(id).name);
      return false;
    }
    return true;
  }

  // Emits the int8 op into `output`.
  bool become_int8(Node& node, ValueId output, std::string& reason) {
    const Quantization q = quantization(output);
    switch (node.code) {
      case OpCode::kNormalizeImage: {
        const ValueId table = add_quantized_constant(graph_, graph_.value(node.inputs[1]).name,
                                                     graph_.constant(node.inputs[1]), q);
        rewriter_.add_into(output, node.code, node.name, {node.inputs[0], table});
        return true;
      }
      case OpCode::kUnary: {
        const ValueId x = int8_form(node.inputs[0]);
        const ValueId table = graph_.add_constant(node.name + " table",
                                                  lookup_table(node, quantization(x), q, context_.evaluate));
        rewriter_.add_into(output, OpCode::kLookup, node.name, {x, table});
        return true;
      }
      case OpCode::kSoftmax: {
        const ValueId x = int8_form(node.inputs[0]);
        const ValueId table =
            graph_.add_constant(node.name + " table", softmax_table(quantization(x).scales[0]));
        rewriter_.add_into(output, node.code, node.name, {x, table}, std::move(node.attributes));
        return true;
      }
      default:
        if (op_def(node.code).int8 == Int8Rule::kWeights) return weights_to_int8(node, output, reason);
        return data_to_int8(node, output, reason);
    }
  }

  bool weights_to_int8(Node& node, ValueId output, std::string& reason) {
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    if (!graph_.is_constant(node.inputs[1]) || (has_bias && !graph_.is_constant(node.inputs[2]))) {
      reason = "its weights are computed at run time";
      return false;
    }
    const ValueId x = int8_form(node.inputs[0]);
    const float input_scale = quantization(x).scales[0];
    std::optional<AdoptedWeights> adopted =
        adopt_weights(graph_.constant(node.inputs[1]), has_bias ? &graph_.constant(node.inputs[2]) : nullptr,
                      input_scale, quantization(output).scales[0], reason);
    if (!adopted) return false;
    if (adopted->clipped > 0) {
      graph_.note(node.name, fmt::format("{} weights of -128 became -127: int8 kernels add pairs of products "
                                         "in an int16",
                                         adopted->clipped));
    }
    const std::string name = graph_.value(node.inputs[1]).name;
    const ValueId weights = graph_.add_constant(name, std::move(adopted->form.weights));
    graph_.value(weights).quantization = Quantization{adopted->form.scales, 0};
    const ValueId bias = graph_.add_constant(name + " bias", std::move(adopted->form.bias));
    set_int8_clamp(node, quantization(output));
    rewriter_.add_into(output, node.code, node.name, {x, weights, bias}, std::move(node.attributes));
    return true;
  }

  // Sums are rounded as ONNX Runtime does, within the limits of that kernel.
  bool choose_rounding(Node& node, const std::vector<ValueId>& inputs, const Quantization& q) const {
    if (node.code != OpCode::kBinary) return true;
    auto& binary = node.attrs<plan::BinaryT>();
    if (binary.kind != plan::BinaryKind::kAdd && binary.kind != plan::BinaryKind::kSub) return true;
    for (const ValueId id : inputs) {
      const float ratio = quantization(id).scales[0] / q.scales[0];
      if (!(ratio < 256.0f) || ratio < 0x1p-12f) return false;
    }
    binary.rounding = q.is_uint8 ? plan::SumRounding::kOnnxUInt8 : plan::SumRounding::kOnnxInt8;
    return true;
  }

  bool data_to_int8(Node& node, ValueId output, std::string& reason) {
    const Quantization q = quantization(output);
    const bool same_scale = int8_rule(graph_, node) == Int8Rule::kSameScale;
    std::vector<ValueId> inputs = node.inputs;
    for (const ValueId id : data_inputs(graph_, node)) {
      ValueId form = int8_form(id);
      if (graph_.is_constant(id)) {
        const std::optional<Quantization> grid = grid_of(graph_.constant(id));
        if (!grid) {
          reason = fmt::format("its constant operand '{}' is not quantized", graph_.value(id).name);
          return false;
        }
        form = add_quantized_constant(graph_, graph_.value(id).name, graph_.constant(id),
                                      same_scale ? q : *grid);
      } else if (same_scale && quantization(form) != q) {
        if (!may_requantize(node)) {
          reason = "its input and output have different scales";
          return false;
        }
        form = requantized(form, q);
      }
      std::replace(inputs.begin(), inputs.end(), id, form);
    }
    if (!choose_rounding(node, inputs, q)) {
      reason = "its scales are too far apart for the int8 kernels";
      return false;
    }
    set_int8_clamp(node, q);
    rewriter_.add_into(output, node.code, node.name, std::move(inputs), std::move(node.attributes));
    return true;
  }

  // Whether rounding before the op is the same as rounding after it.
  bool may_requantize(const Node& node) const {
    return moves_exactly(graph_, node) || node.code == OpCode::kPad;
  }

  ValueId requantized(ValueId id, const Quantization& q) {
    const ValueId result = rewriter_.add(OpCode::kRequantize, graph_.value(id).name, {id});
    graph_.value(result).quantization = q;
    return result;
  }

  // Of the old nodes, which are moved from one by one.
  static std::vector<OpCode> codes_of(const Graph& graph) {
    std::vector<OpCode> codes;
    for (const Node& node : graph.nodes) codes.push_back(node.code);
    return codes;
  }
  static std::vector<ValueId> outputs_of(const Graph& graph) {
    std::vector<ValueId> outputs;
    for (const Node& node : graph.nodes) outputs.push_back(node.outputs[0]);
    return outputs;
  }

  Graph& graph_;
  PassContext& context_;
  const Uses uses_;
  const std::vector<OpCode> codes_ = codes_of(graph_);
  const std::vector<ValueId> outputs_ = outputs_of(graph_);
  Rewriter rewriter_;
  std::vector<ValueId> int8_;  // by value of the old graph: see int8_form
  std::vector<bool> float_;    // by value of the old graph: a node of the new one makes it as float
  std::vector<bool> made_;     // by output of a Quantize: an int8 op makes it
  int kept_ = 0;
};

}  // namespace

void adopt_quantization(Graph& graph, PassContext& context) {
  if (context.options.precision == Precision::kFp32) return;
  const bool quantized = std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return node.code == OpCode::kQuantize || node.code == OpCode::kDequantize;
  });
  if (!quantized) return;
  if (context.options.precision == Precision::kInt8) {
    throw CompileError(
        "the model is quantized already; compile it without --precision int8 to keep its scales");
  }
  const int kept = Adopter(graph, context).run();
  drop_dead_nodes(graph);
  if (kept > 0) {
    context.warnings.push_back(
        fmt::format("{} ops stay float32 beside quantized tensors; bantam inspect says which and why", kept));
  }
}

}  // namespace bantam::compiler
