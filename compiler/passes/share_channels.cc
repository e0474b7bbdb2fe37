// Concat and Slice without a copy: the parts are views of the whole. Along the outermost axis that is longer
// than 1 a part is dense; along the last axis (channels) its pixels are as far apart as those of the whole,
// which only some kernels can read and write.
#include <algorithm>

#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

// Kernels that read and write pixels at a stride.
bool handles_strides(OpCode code) {
  return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d || code == OpCode::kFullyConnected ||
         code == OpCode::kNarrowFullyConnected || code == OpCode::kLookup || code == OpCode::kRequantize ||
         code == OpCode::kCopy;
}

int64_t product(const Shape& shape, size_t first, size_t last) {
  int64_t result = 1;
  for (size_t i = first; i < last; ++i) result *= shape[i];
  return result;
}

// How a part along `axis` lies in a whole of `shape`.
struct Placement {
  bool possible = false;
  int64_t step = 0;          // elements of the whole per index along the axis
  int64_t pixel_stride = 0;  // 0: the part is dense
};

Placement placement(const Shape& whole, size_t axis) {
  Placement p;
  p.step = product(whole, axis + 1, whole.size());
  if (product(whole, 0, axis) == 1) {
    p.possible = true;
  } else if (axis + 1 == whole.size()) {
    p.possible = true;
    p.pixel_stride = whole.back();
  }
  return p;
}

class ChannelSharing {
 public:
  explicit ChannelSharing(Graph& graph) : graph_(graph) {}

  void run() {
    spread_concats();
    view_slices();
  }

 private:
  bool is_input(ValueId id) const {
    return std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
  }

  bool readers_handle_strides(const Uses& uses, const std::vector<Node>& nodes, ValueId id) const {
    const auto& readers = uses.readers[static_cast<size_t>(id)];
    return std::all_of(readers.begin(), readers.end(), [&](int reader) {
      const Node& node = nodes[static_cast<size_t>(reader)];
      return node.code == OpCode::kConcat || (handles_strides(node.code) && node.inputs[0] == id);
    });
  }

  // Whether the op that makes `id` can make it inside the concat's output.
  bool can_be_part(const Uses& uses, const std::vector<Node>& nodes, ValueId id, const Node& concat,
                   const Placement& p) const {
    const Value& value = graph_.value(id);
    const int producer = uses.producer[static_cast<size_t>(id)];
    const bool own_memory = producer >= 0 && !value.view && !is_input(id) && !graph_.is_output(id);
    if (!own_memory || value.quantization != graph_.value(concat.outputs[0]).quantization) return false;
    if (std::count(concat.inputs.begin(), concat.inputs.end(), id) != 1) return false;
    if (p.pixel_stride == 0) return nodes[static_cast<size_t>(producer)].code != OpCode::kReshape;
    return handles_strides(nodes[static_cast<size_t>(producer)].code) &&
           readers_handle_strides(uses, nodes, id);
  }

  void spread_concats() {
    const Uses uses(graph_);
    Rewriter rewriter(graph_);
    const std::vector<Node> nodes = rewriter.old_nodes();
    for (Node& node : rewriter.old_nodes()) {
      const bool concat = node.code == OpCode::kConcat;
      const Placement p = concat ? placement(graph_.shape(node.outputs[0]), axis_of(node)) : Placement{};
      const bool worthwhile =
          p.possible && std::any_of(node.inputs.begin(), node.inputs.end(),
                                    [&](ValueId id) { return can_be_part(uses, nodes, id, node, p); });
      if (!worthwhile) {
        rewriter.keep(std::move(node));
      } else {
        spread(uses, nodes, rewriter, node, p);
      }
    }
  }

  static size_t axis_of(const Node& concat) {
    return static_cast<size_t>(concat.attrs<plan::ConcatT>().axis);
  }

  void spread(const Uses& uses, const std::vector<Node>& nodes, Rewriter& rewriter, const Node& node,
              const Placement& p) {
    int64_t offset = 0;
    for (ValueId id : node.inputs) {
      const View view{node.outputs[0], offset * p.step, p.pixel_stride};
      if (can_be_part(uses, nodes, id, node, p)) {
        graph_.value(id).view = view;
      } else {
        const ValueId part = graph_.add_value(graph_.value(id).name, graph_.value(id).type);
        graph_.value(part).quantization = graph_.value(id).quantization;
        graph_.value(part).view = view;
        rewriter.add_into(part, OpCode::kCopy, node.name, {id});
      }
      offset += graph_.shape(id)[axis_of(node)];
    }
  }

  void view_slices() {
    const Uses uses(graph_);
    Rewriter rewriter(graph_);
    const std::vector<Node> nodes = rewriter.old_nodes();
    for (Node& node : rewriter.old_nodes()) {
      if (node.code != OpCode::kSlice || !view_slice(uses, nodes, node)) rewriter.keep(std::move(node));
    }
  }

  bool view_slice(const Uses& uses, const std::vector<Node>& nodes, const Node& node) {
    const auto& slice = node.attrs<plan::SliceT>();
    const ValueId whole = node.inputs[0];
    const ValueId part = node.outputs[0];
    const Shape& shape = graph_.shape(whole);
    if (graph_.is_constant(whole) || graph_.is_output(part) || graph_.value(part).view) return false;
    if (std::any_of(slice.steps.begin(), slice.steps.end(), [](int32_t step) { return step != 1; }))
      return false;
    for (ValueId id = whole; graph_.value(id).view; id = graph_.value(id).view->base) {
      if (graph_.value(id).view->pixel_stride != 0) return false;
    }
    size_t axis = shape.size();
    for (size_t i = 0; i < shape.size(); ++i) {
      if (graph_.shape(part)[i] == shape[i]) continue;
      if (axis != shape.size()) return false;
      axis = i;
    }
    const Placement p = axis < shape.size() ? placement(shape, axis) : Placement{};
    if (!p.possible || (p.pixel_stride != 0 && !readers_handle_strides(uses, nodes, part))) return false;
    if (p.pixel_stride == 0 &&
        !aligned(static_cast<int64_t>(slice.starts[axis]) * p.step, graph_.dtype(part)))
      return false;
    graph_.value(part).view = View{whole, static_cast<int64_t>(slice.starts[axis]) * p.step, p.pixel_stride};
    return true;
  }

  // Dense views start at a multiple of 16 bytes, which some vector kernels like.
  static bool aligned(int64_t offset, DType dtype) {
    return offset * static_cast<int64_t>(element_size(dtype)) % 16 == 0;
  }

  Graph& graph_;
};

}  // namespace

void share_channels(Graph& graph, PassContext&) { ChannelSharing(graph).run(); }

}  // namespace bantam::compiler
