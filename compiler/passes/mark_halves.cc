// fp16 plans, and what int8 plans keep in float16: which convolutions and matrix products may be computed in
// float16, on processors with arithmetic for it, and which values may be stored so. With calibration data by
// what the values are on these; without, by what the constants tell.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "passes/half_range.h"
#include "passes/pass.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {
namespace {

// Other inputs may give larger values than those seen, and a sum is larger on its way than in the end.
constexpr float kHeadroom = 4;

class HalfMarker {
 public:
  HalfMarker(Graph& graph, PassContext& context)
      : graph_(graph), largest_(graph.values.size(), 0), fixed_(graph.values.size(), false) {
    for (const Node& node : graph.nodes) {
      for (ValueId id : node.inputs) look_at_constant(id, node.outputs[0]);
    }
    if (context.halves) {
      take_known(context.magnitudes);
    } else if (context.options.calibration) {
      look_at_samples(context);
    }
    for (ValueId id : graph.inputs) fixed_[root(id)] = true;
    for (ValueId id : graph.outputs) fixed_[root(id)] = true;
    for (size_t v = 0; v < graph.values.size(); ++v) {
      if (graph.values[v].type.dtype != DType::kFloat32) fixed_[root(static_cast<ValueId>(v))] = true;
    }
  }

  void run() {
    bool any = false;
    for (Node& node : graph_.nodes) {
      node.half = computes(node);
      any |= node.half;
    }
    if (!any) return;
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const auto id = static_cast<ValueId>(v);
      graph_.values[v].half = !graph_.is_constant(id) && !fixed_[root(id)] && fits(id);
    }
  }

 private:
  // The value whose memory `id` lies in.
  size_t root(ValueId id) const {
    while (graph_.value(id).view) id = graph_.value(id).view->base;
    return static_cast<size_t>(id);
  }

  void raise(ValueId id, float magnitude) {
    float& largest = largest_[root(id)];
    if (std::isnan(magnitude) || magnitude > largest) largest = magnitude;
  }

  // What a constant does not fit, its op's result might not either.
  void look_at_constant(ValueId id, ValueId result) {
    if (!graph_.is_constant(id)) return;
    if (graph_.dtype(id) != DType::kFloat32 && graph_.dtype(id) != DType::kFloat16) return;
    const float magnitude = largest_magnitude(graph_.constant(id));
    if (!(magnitude * kHeadroom <= kLargestHalf)) raise(result, magnitude);
  }

  void look_at_samples(PassContext& context) {
    const Statistics statistics = calibrate(graph_, context);
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const SplitHistogram& seen = statistics.histograms[v];
      raise(static_cast<ValueId>(v), std::max(-seen.min(), seen.max()));
    }
    context.calibration_summary = fmt::format("{} samples of {}", context.options.calibration->count,
                                              context.options.calibration->description);
  }

  // The float values of an int8 network: known from its calibration, or from the steps that they come in.
  // Those that become steps, or were some, stay as they are.
  void take_known(const std::vector<float>& magnitudes) {
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const auto id = static_cast<ValueId>(v);
      const bool known = v < magnitudes.size() && magnitudes[v] > 0;
      if (!graph_.is_constant(id)) raise(id, known ? magnitudes[v] : NAN);
    }
    for (const Node& node : graph_.nodes) {
      if (node.code != OpCode::kQuantize && node.code != OpCode::kDequantize) continue;
      fixed_[root(node.inputs[0])] = fixed_[root(node.outputs[0])] = true;
      if (node.code == OpCode::kDequantize) raise_to_steps(node);
    }
  }

  void raise_to_steps(const Node& node) {
    const Quantization& q = *graph_.value(node.inputs[0]).quantization;
    largest_[root(node.outputs[0])] = q.scales[0] * static_cast<float>(128 + std::abs(q.zero_point));
  }

  bool fits(ValueId id) const { return largest_[root(id)] * kHeadroom <= kLargestHalf; }

  bool computes(const Node& node) {
    switch (node.code) {
      case OpCode::kConv2d:
      case OpCode::kConvTranspose2d:
      case OpCode::kFullyConnected:
        if (graph_.dtype(node.inputs[1]) != DType::kFloat16) return false;
        break;
      case OpCode::kMatMul:
        break;
      default:
        return false;
    }
    for (ValueId id : {node.inputs[0], node.inputs[1], node.outputs[0]}) {
      if (graph_.is_constant(id) || fits(id)) continue;
      graph_.note(node.name,
                  fmt::format("computes in float32: up to {:.3g} is too close to what float16 holds",
                              largest_[root(id)]));
      return false;
    }
    return true;
  }

  Graph& graph_;
  std::vector<float> largest_;  // magnitude known, by root
  std::vector<bool> fixed_;     // by root: has to stay as it is
};

}  // namespace

void mark_halves(Graph& graph, PassContext& context) {
  if (context.wants_halves()) HalfMarker(graph, context).run();
}

}  // namespace bantam::compiler
