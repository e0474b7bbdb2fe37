// A Pad of zeros over H and W goes into the padding of the Conv2d or AveragePool2d that reads it.
#include <algorithm>

#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

bool pads_pixels_with_zero(const Node& node) {
  if (node.code != OpCode::kPad) return false;
  const auto& pad = node.attrs<plan::PadT>();
  const auto inner = [](const std::vector<int32_t>& p) { return p.size() == 4 && p[0] == 0 && p[3] == 0; };
  return pad.mode == plan::PadMode::kConstant && pad.value == 0.0f && inner(pad.before) && inner(pad.after);
}

template <typename Window>
void add_padding(Window& window, const plan::PadT& pad) {
  window.pad_top += pad.before[1];
  window.pad_bottom += pad.after[1];
  window.pad_left += pad.before[2];
  window.pad_right += pad.after[2];
}

bool absorb(Node& node, const plan::PadT& pad) {
  if (node.code == OpCode::kConv2d) {
    add_padding(node.attrs<plan::Conv2dT>(), pad);
    return true;
  }
  if (node.code != OpCode::kAveragePool2d) return false;
  auto& pool = node.attrs<plan::Pool2dT>();
  const bool has_padding = pool.pad_top + pool.pad_bottom + pool.pad_left + pool.pad_right > 0;
  if (pool.ceil_mode || (has_padding && !pool.count_include_pad)) return false;
  pool.count_include_pad = true;  // the zeros counted before, too
  add_padding(pool, pad);
  return true;
}

}  // namespace

void fuse_padding(Graph& graph, PassContext&) {
  const Uses uses(graph);
  for (Node& node : graph.nodes) {
    if (node.inputs.empty()) continue;
    const int source = uses.producer[static_cast<size_t>(std::max(node.inputs[0], 0))];
    if (node.inputs[0] == kNoValue || source < 0) continue;
    const Node& producer = graph.nodes[static_cast<size_t>(source)];
    if (pads_pixels_with_zero(producer) && absorb(node, producer.attrs<plan::PadT>())) {
      node.inputs[0] = producer.inputs[0];
    }
  }
  drop_dead_nodes(graph);
}

}  // namespace bantam::compiler
