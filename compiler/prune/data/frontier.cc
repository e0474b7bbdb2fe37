#include "prune/data/frontier.h"

#include <algorithm>
#include <utility>

namespace bantam::compiler {
namespace {

constexpr size_t kMostBytes = size_t{320} << 20;

}  // namespace

Frontier::Frontier(const CalibrationSamples& samples, const PassContext& context, std::vector<int> which,
                   std::vector<ValueId> lasting)
    : samples_(samples), context_(context), which_(std::move(which)), lasting_(std::move(lasting)) {}

std::vector<ValueId> Frontier::live_before(const Graph& graph, int node) const {
  std::vector<bool> needed(graph.values.size(), false);
  for (ValueId id : lasting_) needed[static_cast<size_t>(id)] = true;
  for (size_t n = static_cast<size_t>(node); n < graph.nodes.size(); ++n) {
    for (ValueId id : graph.nodes[n].inputs) {
      if (id != kNoValue && !graph.is_constant(id)) needed[static_cast<size_t>(id)] = true;
    }
  }
  std::vector<ValueId> live;
  const auto take = [&](ValueId id) {
    if (id != kNoValue && needed[static_cast<size_t>(id)]) live.push_back(id);
  };
  for (ValueId id : graph.inputs) take(id);
  for (int n = 0; n < node; ++n) {
    for (ValueId id : graph.nodes[static_cast<size_t>(n)].outputs) take(id);
  }
  return live;
}

bool Frontier::can_keep(const Graph& graph, const std::vector<ValueId>& live) const {
  size_t bytes = 0;
  for (ValueId id : live)
    bytes += static_cast<size_t>(element_count(graph.shape(id))) * element_size(graph.dtype(id));
  // Only what an op makes first can be seen when it runs, and only whole floats of it.
  const auto is_first = [&](ValueId id) {
    return std::none_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
      return std::find(node.outputs.begin(), node.outputs.end(), id) > node.outputs.begin() &&
             std::find(node.outputs.begin(), node.outputs.end(), id) != node.outputs.end();
    });
  };
  const bool seen = std::all_of(live.begin(), live.end(), [&](ValueId id) {
    return graph.dtype(id) == DType::kFloat32 && is_first(id);
  });
  return seen && bytes * which_.size() <= kMostBytes;
}

void Frontier::advance(const Graph& graph, int node) {
  if (node <= node_) return;
  std::vector<ValueId> live = live_before(graph, node);
  if (live.empty() || !can_keep(graph, live)) return;
  std::vector<std::vector<TensorData>> values(which_.size());
  for (std::vector<TensorData>& sample : values) {
    for (ValueId id : live) sample.push_back({graph.dtype(id), graph.shape(id), {}});
  }
  run(graph, live, [&](int position, ValueId id, std::span<const float> data) {
    const auto at = std::find(live.begin(), live.end(), id) - live.begin();
    const auto bytes = std::as_bytes(data);
    values[static_cast<size_t>(position)][static_cast<size_t>(at)].bytes.assign(bytes.begin(), bytes.end());
  });
  node_ = node;
  live_ = std::move(live);
  values_ = std::move(values);
}

void Frontier::run(const Graph& graph, const std::vector<ValueId>& wanted, const Observer& observer) const {
  if (node_ == 0) return samples_.run(graph, wanted, observer, which_);
  Graph ahead = graph;
  ahead.nodes.erase(ahead.nodes.begin(), ahead.nodes.begin() + node_);
  ahead.inputs = live_;
  ahead.has_preprocessing = false;
  const auto load = [&](int position) { return values_[static_cast<size_t>(position)]; };
  run_samples(std::move(ahead), wanted, {static_cast<int>(which_.size()), load}, observer, context_);
}

}  // namespace bantam::compiler
