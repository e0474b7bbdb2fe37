#include "prune/kernel_work.h"

#include <cmath>

#include "emit/plan_writer.h"

namespace bantam::compiler {
namespace {

constexpr double kPerOutput = 100;
constexpr double kGrouped = 3;
constexpr double kPerValue = 10;

bool is_grouped(const Node& node) {
  return node.code == OpCode::kConv2d && node.attrs<plan::Conv2dT>().groups > 1;
}

}  // namespace

double kernel_work(const Graph& graph, const Node& node) {
  const Shape& shape = graph.shape(node.outputs[0]);
  const auto outputs = static_cast<double>(element_count(shape));
  const auto macs = static_cast<double>(multiply_accumulates(graph, node));
  if (macs == 0 || outputs == 0) return outputs * kPerValue;
  const auto channels = static_cast<double>(shape.back());
  constexpr auto kTile = static_cast<double>(kKernelTile);
  const double in_tiles = outputs / channels * std::ceil(channels / kTile) * kTile;
  return in_tiles * (macs / outputs * (is_grouped(node) ? kGrouped : 1) + kPerOutput);
}

}  // namespace bantam::compiler
