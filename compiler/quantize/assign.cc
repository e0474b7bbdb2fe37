#include "quantize/assign.h"

#include <algorithm>
#include <numeric>

#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

// Whether no axis longer than 1 that stays lies between two that are reduced.
bool reduces_neighbours(const Graph& graph, const Node& node) {
  const std::vector<int32_t>& axes = node.attrs<plan::ReduceT>().axes;
  const Shape& shape = graph.shape(node.inputs[0]);
  int changes = 0;
  bool inside = false;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<int32_t>(axis)) != axes.end();
    if (shape[axis] == 1 || reduced == inside) continue;
    inside = reduced;
    changes += reduced ? 1 : 0;
  }
  return changes <= 1;
}

bool has_int8_kernel(const Graph& graph, const Node& node) {
  if (graph.dtype(node.outputs[0]) != DType::kFloat32) return false;
  const Int8Rule rule = int8_rule(graph, node);
  if (rule != Int8Rule::kWeights) return rule != Int8Rule::kNone;
  const bool constant_bias =
      node.inputs.size() < 3 || node.inputs[2] == kNoValue || graph.is_constant(node.inputs[2]);
  return graph.is_constant(node.inputs[1]) && constant_bias;
}

class Assigner {
 public:
  Assigner(const Graph& graph, const std::vector<SplitHistogram>& histograms, const RangeMethods& methods,
           const KeptFloat& kept)
      : graph_(graph),
        histograms_(histograms),
        methods_(methods),
        kept_(kept),
        int8_(graph.values.size(), false) {
    result_.int8_node.assign(graph.nodes.size(), false);
    result_.quantization.resize(graph.values.size());
    group_.resize(graph.values.size());
    std::iota(group_.begin(), group_.end(), 0);
  }

  const std::vector<bool>& nodes() {
    find_wanted();
    choose_nodes();
    return result_.int8_node;
  }

  Assignment run() {
    nodes();
    unite_scales();
    name_groups();
    choose_scales();
    result_.is_int8 = int8_;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (result_.int8_node[i] && !scales_fit(graph_.nodes[i])) result_.int8_node[i] = false;
    }
    return std::move(result_);
  }

 private:
  bool is_float(ValueId id) const { return id != kNoValue && graph_.dtype(id) == DType::kFloat32; }

  bool may_be_int8(size_t node) const { return kept_.empty() || !kept_[node]; }

  // Backwards: which values would be read as int8.
  void find_wanted() {
    wanted_.assign(graph_.values.size(), false);
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (!may_be_int8(i) || !has_int8_kernel(graph_, node)) continue;
      const bool weights = op_def(node.code).int8 == Int8Rule::kWeights;
      if (!weights && !wanted_[static_cast<size_t>(node.outputs[0])]) continue;
      for (ValueId id : data_inputs(graph_, node)) wanted_[static_cast<size_t>(id)] = true;
    }
  }

  // Forwards: a float graph input is quantized at once where that is all its readers want; an image's
  // normalization yields int8 directly.
  void choose_nodes() {
    for (ValueId id : graph_.inputs) {
      int8_[static_cast<size_t>(id)] = is_float(id) && wanted_[static_cast<size_t>(id)];
    }
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const size_t output = static_cast<size_t>(node.outputs[0]);
      if (node.code == OpCode::kNormalizeImage) {
        result_.int8_node[i] = may_be_int8(i) && wanted_[output];
      } else if (may_be_int8(i) && has_int8_kernel(graph_, node)) {
        result_.int8_node[i] = runs_in_int8(node);
      }
      int8_[output] = result_.int8_node[i];
    }
  }

  bool runs_in_int8(const Node& node) const {
    if (op_def(node.code).int8 == Int8Rule::kWeights) return true;
    const std::vector<ValueId> data = data_inputs(graph_, node);
    const auto available = [&](ValueId id) { return int8_[static_cast<size_t>(id)]; };
    if (int8_rule(graph_, node) == Int8Rule::kSameScale) {
      return std::all_of(data.begin(), data.end(),
                         [&](ValueId id) { return available(id) || graph_.is_constant(id); }) &&
             std::any_of(data.begin(), data.end(), available);
    }
    return std::any_of(data.begin(), data.end(), available);
  }

  ValueId find(ValueId id) {
    while (group_[static_cast<size_t>(id)] != id) {
      id = group_[static_cast<size_t>(id)] = group_[static_cast<size_t>(group_[static_cast<size_t>(id)])];
    }
    return id;
  }

  float span(ValueId id) const {
    const SplitHistogram& h = histograms_[static_cast<size_t>(id)];
    return std::max(h.max(), 0.0f) - std::min(h.min(), 0.0f);
  }

  // Ops that only move data keep the scale. Concat joins inputs of very different range, which are then
  // requantized rather than made coarse.
  void unite_scales() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (!result_.int8_node[i] || int8_rule(graph_, node) != Int8Rule::kSameScale) continue;
      const ValueId output = node.outputs[0];
      for (ValueId id : data_inputs(graph_, node)) {
        if (graph_.is_constant(id)) continue;
        const bool alike = node.code != OpCode::kConcat || span(id) >= kAlike * span(output);
        if (alike) group_[static_cast<size_t>(find(output))] = find(id);
      }
    }
  }

  void name_groups() {
    std::vector<ValueId> first(graph_.values.size(), kNoValue);
    for (size_t v = 0; v < first.size(); ++v) {
      ValueId& name = first[static_cast<size_t>(find(static_cast<ValueId>(v)))];
      if (name == kNoValue) name = static_cast<ValueId>(v);
      result_.group.push_back(name);
    }
  }

  RangeMethod method_of(ValueId id) const {
    const auto other = methods_.other.find(result_.group[static_cast<size_t>(id)]);
    return other == methods_.other.end() ? methods_.usual : other->second;
  }

  // A group's values are those that its members compute themselves; the others are copies of them.
  void choose_scales() {
    std::vector<std::optional<SplitHistogram>> merged(graph_.values.size());
    const auto enter = [&](ValueId id) {
      std::optional<SplitHistogram>& sum = merged[static_cast<size_t>(find(id))];
      if (!sum) sum.emplace();
      sum->merge(histograms_[static_cast<size_t>(id)]);
    };
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const ValueId id = static_cast<ValueId>(v);
      if (!is_float(id) || graph_.is_constant(id)) continue;
      if (!is_copy(id)) enter(id);
    }
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const ValueId id = static_cast<ValueId>(v);
      if (!is_float(id) || graph_.is_constant(id)) continue;
      const std::optional<SplitHistogram>& sum = merged[static_cast<size_t>(find(id))];
      if (!sum || sum->empty()) continue;
      std::optional<Quantization>& shared = result_.quantization[static_cast<size_t>(find(id))];
      if (!shared) shared = quantization_of(choose_range(*sum, method_of(id)));
      result_.quantization[v] = shared;
    }
  }

  // A sum whose terms and result differ by orders of magnitude is beyond the int8 kernel, and would be noise.
  bool scales_fit(const Node& node) const {
    if (node.code != OpCode::kBinary || node.attrs<plan::BinaryT>().kind == plan::BinaryKind::kMul)
      return true;
    const float ratio =
        std::max(scale_of(node.inputs[0]), scale_of(node.inputs[1])) / scale_of(node.outputs[0]);
    return ratio > 1 / kLargestRatio && ratio < kLargestRatio;
  }

  float scale_of(ValueId id) const {
    const Value& value = graph_.value(id);
    return value.constant ? quantization_of_constant(*value.constant).scales[0]
                          : result_.quantization[static_cast<size_t>(id)]->scales[0];
  }

  bool is_copy(ValueId id) {
    if (producer_.empty()) {
      producer_.assign(graph_.values.size(), -1);
      for (size_t i = 0; i < graph_.nodes.size(); ++i) {
        producer_[static_cast<size_t>(graph_.nodes[i].outputs[0])] = static_cast<int>(i);
      }
    }
    const int node = producer_[static_cast<size_t>(id)];
    return node >= 0 && result_.int8_node[static_cast<size_t>(node)] &&
           int8_rule(graph_, graph_.nodes[static_cast<size_t>(node)]) == Int8Rule::kSameScale &&
           graph_.nodes[static_cast<size_t>(node)].code != OpCode::kConcat;
  }

  static constexpr float kAlike = 0.5f;           // at most one bit lost
  static constexpr float kLargestRatio = 128.0f;  // of a term's scale to the sum's

  const Graph& graph_;
  const std::vector<SplitHistogram>& histograms_;
  const RangeMethods methods_;
  const KeptFloat& kept_;
  Assignment result_;
  std::vector<bool> wanted_;    // by value
  std::vector<bool> int8_;      // by value: is made as int8
  std::vector<ValueId> group_;  // union-find over values that share a scale
  std::vector<int> producer_;
};

}  // namespace

Int8Rule int8_rule(const Graph& graph, const Node& node) {
  const Int8Rule rule = op_def(node.code).int8;
  switch (node.code) {
    case OpCode::kBinary: {
      const auto kind = node.attrs<plan::BinaryT>().kind;
      return kind == plan::BinaryKind::kAdd || kind == plan::BinaryKind::kSub ||
                     kind == plan::BinaryKind::kMul
                 ? rule
                 : Int8Rule::kNone;
    }
    case OpCode::kReduce: {
      const auto kind = node.attrs<plan::ReduceT>().kind;
      if (!reduces_neighbours(graph, node)) return Int8Rule::kNone;
      if (kind == plan::ReduceKind::kMax || kind == plan::ReduceKind::kMin) return Int8Rule::kSameScale;
      return kind == plan::ReduceKind::kMean ? rule : Int8Rule::kNone;
    }
    case OpCode::kResize:
      return node.attrs<plan::ResizeT>().coordinates == plan::CoordinateMode::kTfCropAndResize
                 ? Int8Rule::kNone
                 : rule;
    case OpCode::kSoftmax:
    case OpCode::kWhere:
      return Int8Rule::kNone;
    default:
      return rule;
  }
}

std::vector<ValueId> data_inputs(const Graph& graph, const Node& node) {
  if (op_def(node.code).int8 == Int8Rule::kWeights || node.code == OpCode::kGather) return {node.inputs[0]};
  std::vector<ValueId> data;
  for (ValueId id : node.inputs) {
    if (id != kNoValue && graph.dtype(id) == DType::kFloat32) data.push_back(id);
  }
  return data;
}

Assignment assign_precision(const Graph& graph, const std::vector<SplitHistogram>& histograms,
                            const RangeMethods& methods, const KeptFloat& kept) {
  return Assigner(graph, histograms, methods, kept).run();
}

std::vector<bool> int8_nodes(const Graph& graph, const KeptFloat& kept) {
  const std::vector<SplitHistogram> none;
  return Assigner(graph, none, RangeMethod::kMinMax, kept).nodes();
}

}  // namespace bantam::compiler
