#include "search/op_costs.h"

#include <algorithm>
#include <map>

#include "emit/plan_writer.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

constexpr double kInt8Speed = 4;       // multiply-accumulates per one in float32, where nothing is measured
constexpr double kWorkPerElement = 2;  // of an op, in multiply-accumulates, likewise
constexpr int64_t kSmall = 4096, kLarge = 262144;  // elements of the conversions that are measured

struct Group {
  double ms = 0;
  int nodes = 0;
};

// Nodes that came from one ONNX node share its time.
std::map<std::string, Group> times_by_name(const Graph& graph, const PlanTimes& times) {
  std::map<std::string, Group> groups;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_conversion(graph.nodes[i].code)) groups[graph.nodes[i].name].ms += times.op_ms.at(i);
  }
  return groups;
}

std::vector<double> spread(const Graph& graph, std::map<std::string, Group> groups) {
  for (const Node& node : graph.nodes) ++groups[node.name].nodes;
  std::vector<double> times;
  for (const Node& node : graph.nodes) times.push_back(groups[node.name].ms / groups[node.name].nodes);
  return times;
}

Graph conversion_graph(int64_t elements) {
  Graph graph;
  graph.layout = Layout::kNhwc;
  const ValueId x = graph.add_value("x", {DType::kFloat32, {1, elements}});
  const ValueId q = graph.add_value("q", {DType::kInt8, {1, elements}});
  const ValueId y = graph.add_value("y", {DType::kFloat32, {1, elements}});
  graph.value(q).quantization = Quantization{{1.0f / 64}, 0};
  graph.inputs = {x};
  graph.outputs = {y};
  graph.nodes.push_back({OpCode::kQuantize, "q", {x}, {q}, {}});
  graph.nodes.push_back({OpCode::kDequantize, "y", {q}, {y}, {}});
  return graph;
}

}  // namespace

bool is_conversion(OpCode code) {
  return code == OpCode::kQuantize || code == OpCode::kDequantize || code == OpCode::kRequantize;
}

FinishedPlan finish(Graph graph, const PassContext& context) {
  std::vector<std::string> warnings;
  PassContext own{context.options, context.evaluate, context.runner, warnings, {}, {}, context.onnx_path};
  own.halves = context.halves;
  own.magnitudes = context.magnitudes;
  finish_quantized(graph, own);
  std::vector<std::byte> plan = write_plan(graph, EmitOptions{});
  return {std::move(plan), std::move(graph)};
}

OpCosts::OpCosts(const Graph& graph, const Quantizer& quantize, const PassContext& context, bool measured)
    : graph_(graph), uses_(graph) {
  measured ? measure(quantize, context) : count_work();
}

void OpCosts::count_work() {
  for (const Node& node : graph_.nodes) {
    const auto macs = static_cast<double>(multiply_accumulates(graph_, node));
    const double moved = kWorkPerElement * static_cast<double>(element_count(graph_.shape(node.outputs[0])));
    float_.push_back(macs + moved);
    int8_.push_back((macs + moved) / kInt8Speed);
  }
  conversion_rate_ = kWorkPerElement / 2;
}

void OpCosts::measure(const Quantizer& quantize, const PassContext& context) {
  FinishedPlan in_float = finish(graph_, context), int8 = finish(quantize({}), context);
  const std::vector<std::vector<std::byte>> plans = {std::move(in_float.plan), std::move(int8.plan)};
  const std::vector<PlanTimes> times = context.options.op_timer(plans);
  float_ = spread(graph_, times_by_name(in_float.graph, times.at(0)));
  int8_ = spread(graph_, times_by_name(int8.graph, times.at(1)));
  estimated_ = times[0].estimated + times[1].estimated;
  measure_conversions(context);
}

void OpCosts::measure_conversions(const PassContext& context) {
  std::vector<std::vector<std::byte>> plans;
  for (int64_t elements : {kSmall, kLarge})
    plans.push_back(write_plan(conversion_graph(elements), EmitOptions{}));
  const std::vector<PlanTimes> times = context.options.op_timer(plans);
  const auto mean = [&](size_t plan) { return (times.at(plan).op_ms.at(0) + times[plan].op_ms.at(1)) / 2; };
  conversion_rate_ = std::max(0.0, (mean(1) - mean(0)) / static_cast<double>(kLarge - kSmall));
  conversion_base_ = std::max(0.0, mean(0) - conversion_rate_ * static_cast<double>(kSmall));
}

double OpCosts::conversion(ValueId id) const {
  return conversion_base_ + conversion_rate_ * static_cast<double>(element_count(graph_.shape(id)));
}

double OpCosts::predict(const KeptFloat& kept) const {
  const std::vector<bool> int8 = int8_nodes(graph_, kept);
  std::vector<bool> read_as_int8(graph_.values.size()), read_as_float(graph_.values.size());
  double total = 0;
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    total += int8[i] ? int8_[i] : float_[i];
    std::vector<bool>& read = int8[i] ? read_as_int8 : read_as_float;
    for (ValueId id : int8[i] ? data_inputs(graph_, node) : node.inputs) {
      if (id != kNoValue && graph_.dtype(id) == DType::kFloat32 && !graph_.is_constant(id))
        read[static_cast<size_t>(id)] = true;
    }
  }
  for (ValueId id : graph_.outputs) read_as_float[static_cast<size_t>(id)] = true;
  for (size_t v = 0; v < graph_.values.size(); ++v) {
    const int producer = uses_.producer[v];
    const bool made_int8 = producer >= 0 && int8[static_cast<size_t>(producer)];
    if (made_int8 ? read_as_float[v] : read_as_int8[v]) total += conversion(static_cast<ValueId>(v));
  }
  return total;
}

}  // namespace bantam::compiler
