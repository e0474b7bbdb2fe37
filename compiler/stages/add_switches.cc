#include "stages/add_switches.h"

#include "ops/op_def.h"
#include "passes/rewriter.h"
#include "quantize/assign.h"

namespace bantam::compiler {
namespace {

// Weights that fold_stem gave another shape, as they were: see folding_of there.
Tensor unfolded_stem(const Tensor& folded, const Shape& shape, int32_t shift) {
  Tensor result(TensorType{DType::kFloat32, shape});
  const int64_t channels = shape[3], columns = folded.type.shape[2] * folded.type.shape[3] / channels;
  const std::span<const float> source = folded.as<float>();
  const std::span<float> target = result.as<float>();
  for (int64_t row = 0; row < shape[0] * shape[1]; ++row) {
    for (int64_t k = 0; k < shape[2]; ++k) {
      const int64_t column = k - shift;
      if (column < 0 || column >= columns) continue;
      for (int64_t c = 0; c < channels; ++c) {
        target[static_cast<size_t>((row * shape[2] + k) * channels + c)] =
            source[static_cast<size_t>((row * columns + column) * channels + c)];
      }
    }
  }
  return result;
}

class Switcher {
 public:
  Switcher(Graph& graph, const PlanReader& plan)
      : graph_(graph), plan_(plan), rewriter_(graph), current_(graph.values.size()) {
    for (size_t i = 0; i < current_.size(); ++i) {
      current_[i] = static_cast<ValueId>(i);
      names_.push_back(graph.values[i].name);
    }
    plan_switches();
    input_ = graph_.add_value("switches", {DType::kBool, {static_cast<int64_t>(switches_.size())}});
  }

  std::vector<Switch> run() {
    if (switches_.empty()) {
      for (Node& node : rewriter_.old_nodes()) rewriter_.keep(std::move(node));
      return {};
    }
    for (ValueId id : graph_.inputs) {
      if (is_rounded(id)) current_[static_cast<size_t>(id)] = rounded(id, id);
    }
    for (Node& node : rewriter_.old_nodes()) add(std::move(node));
    for (ValueId& id : graph_.outputs) id = current_[static_cast<size_t>(id)];
    graph_.inputs.push_back(input_);
    return std::move(switches_);
  }

 private:
  const std::string& name(ValueId id) const { return names_[static_cast<size_t>(id)]; }

  bool is_rounded(ValueId id) const {
    return graph_.dtype(id) == DType::kFloat32 && !graph_.shape(id).empty() &&
           plan_.quantization(name(id)) != nullptr;
  }

  // Elements that are only moved are in the steps of where they came from already.
  bool is_moved(const Node& node) const {
    if (int8_rule(graph_, node) != Int8Rule::kSameScale || node.code == OpCode::kConcat) return false;
    const Quantization* from = plan_.quantization(name(node.inputs[0]));
    return from != nullptr && *from == *plan_.quantization(name(node.outputs[0]));
  }

  bool rounds_output(const Node& node) const { return is_rounded(node.outputs[0]) && !is_moved(node); }

  std::optional<PlanReader::Weights> weights_of(const Node& node) const {
    if (op_def(node.code).int8 != Int8Rule::kWeights || !graph_.is_constant(node.inputs[1])) return {};
    std::optional<PlanReader::Weights> found = plan_.weights(name(node.outputs[0]));
    if (!found || found->code != node.code) return {};
    const Shape& shape = graph_.shape(node.inputs[1]);
    const Shape& given = found->weights.type.shape;
    if (given == shape) return found;
    const bool folded = node.code == OpCode::kConv2d && given.size() == 4 && given[0] == shape[0] &&
                        given[1] == shape[1] && given[3] > shape[3] && given[3] % shape[3] == 0;
    if (!folded) return {};
    const auto columns = static_cast<int32_t>(given[3] / shape[3]);
    const int32_t shift = node.attrs<plan::Conv2dT>().pad_left - found->pad_left * columns;
    found->weights = unfolded_stem(found->weights, shape, shift);
    return found;
  }

  void plan_switches() {
    for (ValueId id : graph_.inputs) {
      if (is_rounded(id)) add_rounding_switches(id);
    }
    for (const Node& node : rewriter_.old_nodes()) {
      if (weights_of(node)) switches_.push_back({Cause::kWeights, name(node.outputs[0])});
      if (rounds_output(node)) add_rounding_switches(node.outputs[0]);
    }
  }

  void add_rounding_switches(ValueId id) {
    switches_.push_back({Cause::kClipping, name(id)});
    switches_.push_back({Cause::kActivations, name(id)});
  }

  // bool[1]: the next of the switches.
  ValueId next_switch() {
    plan::SliceT slice;
    slice.starts = {next_++};
    slice.steps = {1};
    return rewriter_.add(OpCode::kSlice, "switch", {input_}, std::move(slice), TensorType{DType::kBool, {1}});
  }

  ValueId choose(std::string of, ValueId on, ValueId off) {
    const ValueId condition = next_switch();
    return rewriter_.add(OpCode::kWhere, std::move(of), {condition, on, off});
  }

  void add(Node node) {
    const ValueId output = node.outputs[0];
    const bool rounds = rounds_output(node);
    const std::optional<PlanReader::Weights> weights = weights_of(node);
    for (ValueId& id : node.inputs) {
      if (id != kNoValue) id = current_[static_cast<size_t>(id)];
    }
    ValueId result = output;
    std::optional<Node> approximate;
    if (weights) approximate = with_weights(node, *weights);
    rewriter_.keep(std::move(node));
    if (approximate) {
      const ValueId on = approximate->outputs[0];
      rewriter_.keep(std::move(*approximate));
      result = choose(name(output), on, output);
    }
    if (rounds) result = rounded(result, output);
    if (result != output) graph_.value(output).name += " exact";
    current_[static_cast<size_t>(output)] = result;
  }

  Node with_weights(const Node& node, const PlanReader::Weights& weights) {
    Node copy = node;
    const std::string of = name(node.outputs[0]);
    copy.inputs.resize(weights.bias ? 3 : 2);
    copy.inputs[1] = graph_.add_constant(of + " weights", weights.weights);
    if (weights.bias) copy.inputs[2] = graph_.add_constant(of + " bias", *weights.bias);
    copy.outputs = {graph_.add_value(of + " approximate", graph_.value(node.outputs[0]).type)};
    return copy;
  }

  // `exact`, which stands for the tensor `of`, behind the switches for clamping and rounding.
  ValueId rounded(ValueId exact, ValueId of) {
    const std::string tensor = name(of);
    const Quantization q = *plan_.quantization(tensor);
    plan::UnaryT clamp;
    clamp.kind = plan::UnaryKind::kClamp;
    clamp.alpha = q.scales[0] * static_cast<float>(-128 - q.zero_point);
    clamp.beta = q.scales[0] * static_cast<float>(127 - q.zero_point);
    const ValueId clamped = rewriter_.add(OpCode::kUnary, tensor + " clamped", {exact}, clamp);
    const ValueId result = choose(tensor + " clamped", clamped, exact);
    const ValueId steps = rewriter_.add(OpCode::kQuantize, tensor + " steps", {exact});
    graph_.value(steps).quantization = q;
    const ValueId real = rewriter_.add(OpCode::kDequantize, tensor + " rounded", {steps});
    return choose(tensor, real, result);
  }

  Graph& graph_;
  const PlanReader& plan_;
  Rewriter rewriter_;
  std::vector<ValueId> current_;    // by value of the old graph: what its readers read now
  std::vector<std::string> names_;  // of the old graph's values
  std::vector<Switch> switches_;
  ValueId input_ = kNoValue;
  int32_t next_ = 0;  // switch
};

}  // namespace

std::vector<Switch> add_switches(Graph& graph, const PlanReader& plan) { return Switcher(graph, plan).run(); }

}  // namespace bantam::compiler
