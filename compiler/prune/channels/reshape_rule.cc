#include "prune/channels/reshape_rule.h"

#include <algorithm>

namespace bantam::compiler {
namespace {

struct Block {
  std::vector<size_t> in, out;  // axes longer than 1 that hold the same elements
};

// The smallest runs of axes with equal products.
std::vector<Block> blocks_of(const Shape& in, const Shape& out) {
  std::vector<Block> blocks;
  size_t i = 0;
  size_t o = 0;
  while (i < in.size() || o < out.size()) {
    Block block;
    int64_t left = 1;
    int64_t right = 1;
    do {
      const bool take_in = o >= out.size() || (i < in.size() && left <= right);
      const Shape& shape = take_in ? in : out;
      size_t& axis = take_in ? i : o;
      (take_in ? left : right) *= shape[axis];
      if (shape[axis] != 1) (take_in ? block.in : block.out).push_back(axis);
      ++axis;
    } while (left != right && (i < in.size() || o < out.size()));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

class ReshapeRule {
 public:
  ReshapeRule(const Graph& graph, const Node& node, Atoms& atoms, const std::string& reason)
      : graph_(graph), x_(node.inputs[0]), y_(node.outputs[0]), atoms_(atoms), reason_(reason) {}

  void run() {
    if (element_count(graph_.shape(x_)) == 0) return;
    for (const Block& block : blocks_of(graph_.shape(x_), graph_.shape(y_))) {
      if (block.in.size() == 1 && block.out.size() == 1) {
        atoms_.unite_axes(x_, block.in[0], y_, block.out[0]);
      } else if (block.in.size() == 1) {
        unite_parts(x_, block.in[0], y_, block.out);
      } else if (block.out.size() == 1) {
        unite_parts(y_, block.out[0], x_, block.in);
      } else {
        for (size_t axis : block.in) atoms_.pin_axis(x_, axis, reason_);
        for (size_t axis : block.out) atoms_.pin_axis(y_, axis, reason_);
      }
    }
  }

 private:
  size_t free_axis(ValueId parts, const std::vector<size_t>& axes) const {
    size_t best = axes[0];
    const auto rank = [&](size_t axis) {
      const bool open = !atoms_.pinned_axis(parts, axis);
      return std::tuple(open, open && atoms_.are_heads(parts, axis), graph_.shape(parts)[axis]);
    };
    for (size_t axis : axes) {
      if (rank(axis) > rank(best)) best = axis;
    }
    return best;
  }

  void unite_parts(ValueId whole, size_t axis, ValueId parts, const std::vector<size_t>& axes) {
    if (axes.empty()) return;
    const Shape& shape = graph_.shape(parts);
    const size_t open = free_axis(parts, axes);
    int64_t inner = 1;
    for (size_t a : axes) {
      if (a != open) atoms_.pin_axis(parts, a, reason_);
      if (a > open) inner *= shape[a];
    }
    for (int64_t i = 0; i < graph_.shape(whole)[axis]; ++i)
      atoms_.unite(atoms_.at(parts, open, i / inner % shape[open]), atoms_.at(whole, axis, i));
  }

  const Graph& graph_;
  ValueId x_;
  ValueId y_;
  Atoms& atoms_;
  const std::string& reason_;
};

}  // namespace

void unite_reshape(const Graph& graph, const Node& node, Atoms& atoms, const std::string& reason) {
  ReshapeRule(graph, node, atoms, reason).run();
}

}  // namespace bantam::compiler
