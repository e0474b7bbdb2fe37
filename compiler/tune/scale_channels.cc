#include "tune/scale_channels.h"

namespace bantam::compiler {
namespace {

class Scaler {
 public:
  Scaler(Graph& graph, const ScaleUnits& units, const std::vector<double>& factors)
      : graph_(graph), units_(units), factors_(factors) {}

  void scale_outputs(Node& node) {
    const std::vector<double> factor = factors_of(units_, node.outputs[0], factors_);
    scale_rows(node.inputs[1], factor);
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) scale_rows(node.inputs[2], factor);
  }

  void scale_inputs(Node& node) {
    const std::vector<double> factor = factors_of(units_, node.inputs[0], factors_);
    Tensor weights = graph_.constant(node.inputs[1]);
    const InputChannel channel(weights.type.shape, static_cast<int64_t>(factor.size()));
    const std::span<float> w = weights.as<float>();
    for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(w[i] / factor[channel(i)]);
    set_constant(node.inputs[1], std::move(weights));
  }

 private:
  void scale_rows(ValueId& id, const std::vector<double>& factor) {
    Tensor tensor = graph_.constant(id);
    const std::span<float> data = tensor.as<float>();
    const size_t row = data.size() / factor.size();
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(data[i] * factor[i / row]);
    set_constant(id, std::move(tensor));
  }

  void set_constant(ValueId& id, Tensor tensor) {
    tensor.steps = nullptr;
    id = graph_.add_constant(graph_.value(id).name, std::move(tensor));
  }

  Graph& graph_;
  const ScaleUnits& units_;
  const std::vector<double>& factors_;
};

}  // namespace

void scale_channels(Graph& graph, const ScaleUnits& units, const ScaleProblem& problem,
                    const std::vector<double>& factors) {
  Scaler scaler(graph, units, factors);
  for (int node : problem.producers) scaler.scale_outputs(graph.nodes[static_cast<size_t>(node)]);
  for (int node : problem.readers) scaler.scale_inputs(graph.nodes[static_cast<size_t>(node)]);
}

std::vector<double> factors_of(const ScaleUnits& units, ValueId id, const std::vector<double>& factors) {
  std::vector<double> result;
  for (int unit : units.unit_of[static_cast<size_t>(id)])
    result.push_back(factors[static_cast<size_t>(unit)]);
  return result;
}

}  // namespace bantam::compiler
