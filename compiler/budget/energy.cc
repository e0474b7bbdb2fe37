#include "budget/energy.h"

#include "emit/plan_writer.h"

namespace bantam::compiler {
namespace {

constexpr double kInt8 = 0.3, kHalf = 1.5, kFloat = 4.6;  // pJ per multiply-accumulate
constexpr double kDram = 160, kCache = 2.5;               // pJ per byte

double bytes_of(const Graph& graph, ValueId id, bool half) {
  const TensorType& type = graph.value(id).type;
  const auto stored = static_cast<double>(element_size(type.dtype));
  const double size = half && type.dtype == DType::kFloat32 ? stored / 2 : stored;
  return size * static_cast<double>(element_count(type.shape));
}

}  // namespace

double energy_of_run(const Graph& graph, bool half) {
  double picojoules = 0;
  for (const Node& node : graph.nodes) {
    const bool int8 = node.inputs.size() > 1 && graph.dtype(node.inputs[0]) == DType::kInt8;
    picojoules += static_cast<double>(multiply_accumulates(graph, node)) * (int8   ? kInt8
                                                                            : half ? kHalf
                                                                                   : kFloat);
    for (ValueId id : node.inputs) {
      if (id != kNoValue) picojoules += bytes_of(graph, id, half) * (graph.is_constant(id) ? kDram : kCache);
    }
    for (ValueId id : node.outputs) picojoules += bytes_of(graph, id, half) * kCache;
  }
  return picojoules * 1e-9;
}

}  // namespace bantam::compiler
