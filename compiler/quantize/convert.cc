#include "quantize/convert.h"

#include "bantam/compiler/error.h"
#include "ops/op_def.h"
#include "passes/rewriter.h"
#include "quantize/int8_form.h"
#include "quantize/weights.h"

namespace bantam::compiler {
namespace {

class Converter {
 public:
  Converter(Graph& graph, const Assignment& assignment, const Statistics& statistics,
            const Rounding& rounding, const PassContext& context)
      : graph_(graph),
        assignment_(assignment),
        statistics_(statistics),
        rounding_(rounding),
        context_(context),
        rewriter_(graph),
        as_int8_(graph.values.size(), kNoValue),
        as_float_(graph.values.size(), kNoValue) {}

  void run() {
    for (ValueId id : graph_.inputs) as_float_[static_cast<size_t>(id)] = id;
    for (size_t i = 0; i < rewriter_.old_nodes().size(); ++i) {
      Node& node = rewriter_.old_nodes()[i];
      rounded_ = i < rounding_.size() ? &rounding_[i] : nullptr;
      if (assignment_.int8_node[i]) {
        convert(node);
      } else {
        keep(node);
      }
    }
    for (ValueId id : graph_.outputs) restore_output(id);
  }

 private:
  const Quantization& quantization(ValueId id) const {
    const auto& q = assignment_.quantization[static_cast<size_t>(id)];
    if (!q) throw InternalError("int8 value without a scale: " + graph_.value(id).name);
    return *q;
  }

  bool is_float_data(ValueId id) const { return id != kNoValue && graph_.dtype(id) == DType::kFloat32; }

  // `id` as float32, for an op that stays float.
  ValueId as_float(ValueId id) {
    if (graph_.is_constant(id)) return id;
    ValueId& known = as_float_[static_cast<size_t>(id)];
    if (known == kNoValue) {
      known = rewriter_.add(OpCode::kDequantize, graph_.value(id).name, {as_int8_[static_cast<size_t>(id)]});
    }
    return known;
  }

  // `id` as int8 in its own scale.
  ValueId as_int8(ValueId id) {
    if (graph_.is_constant(id)) return constant_as_int8(id);
    const ValueId known = as_int8_[static_cast<size_t>(id)];
    if (known != kNoValue) return known;
    const ValueId result = add_int8(OpCode::kQuantize, graph_.value(id).name,
                                    {as_float_[static_cast<size_t>(id)]}, quantization(id));
    as_int8_[static_cast<size_t>(id)] = result;
    return result;
  }

  ValueId constant_as_int8(ValueId id) {
    return quantized_constant(id, quantization_of_constant(graph_.constant(id)));
  }

  ValueId quantized_constant(ValueId id, const Quantization& q) {
    return add_quantized_constant(graph_, graph_.value(id).name, graph_.constant(id), q);
  }

  // `id` as int8 in the scale `q`.
  ValueId in_scale(ValueId id, const Quantization& q) {
    if (graph_.is_constant(id)) return quantized_constant(id, q);
    const ValueId value = as_int8(id);
    if (graph_.value(value).quantization == q) return value;
    return add_int8(OpCode::kRequantize, graph_.value(id).name, {value}, q);
  }

  ValueId add_int8(OpCode code, std::string name, std::vector<ValueId> inputs, const Quantization& q,
                   Attributes attributes = {}, std::optional<TensorType> type = std::nullopt) {
    const ValueId result =
        rewriter_.add(code, std::move(name), std::move(inputs), std::move(attributes), std::move(type));
    graph_.value(result).quantization = q;
    return result;
  }

  void keep(Node& node) {
    for (ValueId& id : node.inputs) {
      if (is_float_data(id)) id = as_float(id);
    }
    as_float_[static_cast<size_t>(node.outputs[0])] = node.outputs[0];
    rewriter_.keep(std::move(node));
  }

  void convert(Node& node) {
    const ValueId output = node.outputs[0];
    const Quantization& q = quantization(output);
    ValueId result = kNoValue;
    if (node.code == OpCode::kNormalizeImage) {
      result = convert_table(node, q);
    } else if (node.code == OpCode::kUnary) {
      result = convert_unary(node, q);
    } else if (op_def(node.code).int8 == Int8Rule::kWeights) {
      result = convert_weights(node, q);
    } else {
      result = convert_data(node, q);
    }
    graph_.value(result).name = graph_.value(output).name;
    as_int8_[static_cast<size_t>(output)] = result;
  }

  ValueId convert_table(const Node& node, const Quantization& q) {
    return add_int8(node.code, node.name, {node.inputs[0], quantized_constant(node.inputs[1], q)}, q);
  }

  ValueId convert_weights(Node& node, const Quantization& q) {
    const ValueId x = as_int8(node.inputs[0]);
    const float input_scale = graph_.value(x).quantization->scales[0];
    QuantizedWeights w = quantize_corrected(node, input_scale, q.scales[0]);
    const std::string name = graph_.value(node.inputs[1]).name;
    Quantization bias_quantization;
    for (float scale : w.scales) bias_quantization.scales.push_back(input_scale * scale);
    const ValueId weights = graph_.add_constant(name, std::move(w.weights));
    graph_.value(weights).quantization = Quantization{w.scales, 0};
    const ValueId offsets = graph_.add_constant(name + " bias", std::move(w.bias));
    set_int8_clamp(node, q);
    return add_int8(node.code, node.name, {x, weights, offsets}, q, std::move(node.attributes));
  }

  // Rounded weights, and a bias that makes up for what the rounding does to the mean output.
  QuantizedWeights quantize_corrected(const Node& node, float input_scale, float output_scale) const {
    const Tensor& weights = graph_.constant(node.inputs[1]);
    std::vector<float> bias(static_cast<size_t>(weights.type.shape[0]), 0.0f);
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue)
      bias = graph_.constant(node.inputs[2]).to_float();
    const QuantizedWeights uncorrected = rounded(weights, bias, input_scale, output_scale);
    if (!context_.options.quantize_passes.bias) return uncorrected;
    const ChannelMeans& means = statistics_.means[static_cast<size_t>(node.inputs[0])];
    if (means.empty()) return uncorrected;
    const auto* conv = std::get_if<plan::Conv2dT>(&node.attributes);
    const std::vector<float> correction =
        rounding_bias(weights, uncorrected, means.means(), conv == nullptr ? 1 : conv->groups);
    for (size_t c = 0; c < bias.size(); ++c) bias[c] += correction[c];
    return rounded(weights, bias, input_scale, output_scale);
  }

  QuantizedWeights rounded(const Tensor& weights, std::span<const float> bias, float input_scale,
                           float output_scale) const {
    QuantizedWeights result = quantize_weights(weights, bias, input_scale, output_scale);
    if (rounded_ != nullptr && rounded_->scales == result.scales) result.weights = rounded_->weights;
    return result;
  }

  ValueId convert_data(Node& node, const Quantization& q) {
    const bool same_scale = int8_rule(graph_, node) == Int8Rule::kSameScale;
    std::vector<ValueId> inputs;
    for (ValueId id : node.inputs) {
      inputs.push_back(!is_float_data(id) ? id : (same_scale ? in_scale(id, q) : as_int8(id)));
    }
    set_int8_clamp(node, q);
    TensorType type = graph_.value(node.outputs[0]).type;
    type.dtype = DType::kInt8;
    return add_int8(node.code, node.name, std::move(inputs), q, std::move(node.attributes), type);
  }

  ValueId convert_unary(Node& node, const Quantization& q) {
    const ValueId x = as_int8(node.inputs[0]);
    const ValueId table = graph_.add_constant(
        node.name + " table", lookup_table(node, *graph_.value(x).quantization, q, context_.evaluate));
    return add_int8(OpCode::kLookup, node.name, {x, table}, q);
  }

  // Graph outputs keep their id and dtype.
  void restore_output(ValueId id) {
    if (as_float_[static_cast<size_t>(id)] == id) return;
    rewriter_.add_into(id, OpCode::kDequantize, graph_.value(id).name, {as_int8_[static_cast<size_t>(id)]});
  }

  Graph& graph_;
  const Assignment& assignment_;
  const Statistics& statistics_;
  const Rounding& rounding_;
  const PassContext& context_;
  Rewriter rewriter_;
  std::vector<ValueId> as_int8_;           // by value of the old graph: its int8 form
  std::vector<ValueId> as_float_;          // likewise float
  const RoundedLayer* rounded_ = nullptr;  // of the node being converted
};

}  // namespace

void convert_to_int8(Graph& graph, const Assignment& assignment, const Statistics& statistics,
                     const Rounding& rounding, const PassContext& context) {
  Converter(graph, assignment, statistics, rounding, context).run();
}

}  // namespace bantam::compiler
