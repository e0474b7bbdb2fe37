#include "prune/channels/constraints.h"

#include <fmt/format.h>

#include <algorithm>

#include "ops/op_def.h"
#include "prune/channels/reshape_rule.h"

namespace bantam::compiler {
namespace {

class Constraints {
 public:
  Constraints(const Graph& graph, Atoms& atoms) : graph_(graph), atoms_(atoms) {}

  void run() {
    for (ValueId id : graph_.inputs) atoms_.pin_all(id, "it is an input of the model");
    for (ValueId id : graph_.outputs) atoms_.pin_all(id, "it is an output of the model");
    for (const Node& node : graph_.nodes) add(node);
    // Which axis of a reshape stays free depends on what everything else pins.
    for (const Node& node : graph_.nodes) {
      if (node.code == OpCode::kReshape) unite_reshape(graph_, node, atoms_, why(node, "mixes axes"));
    }
  }

 private:
  static std::string why(const Node& node, const char* what) {
    return fmt::format("{} node '{}' {}", op_def(node.code).name, node.name, what);
  }
  const Shape& shape(ValueId id) const { return graph_.shape(id); }
  size_t rank(ValueId id) const { return shape(id).size(); }

  void add(const Node& node) {
    switch (node.code) {
      case OpCode::kConv2d:
      case OpCode::kConvTranspose2d:
        return add_conv(node);
      case OpCode::kFullyConnected:
        return add_fully_connected(node);
      case OpCode::kMatMul:
        return add_mat_mul(node);
      case OpCode::kMaxPool2d:
      case OpCode::kAveragePool2d:
      case OpCode::kResize:
      case OpCode::kInstanceNorm:
        return add_spatial(node);
      case OpCode::kReduce:
        return add_reduce(node);
      case OpCode::kUnary:
      case OpCode::kCast:
      case OpCode::kCopy:
      case OpCode::kBinary:
      case OpCode::kWhere:
        return add_elementwise(node);
      case OpCode::kSoftmax:
        return add_softmax(node);
      case OpCode::kLayerNorm:
        return add_layer_norm(node);
      case OpCode::kConcat:
        return add_concat(node);
      case OpCode::kSlice:
        return add_slice(node);
      case OpCode::kPad:
        return add_pad(node);
      case OpCode::kTranspose:
        return add_transpose(node);
      case OpCode::kTile:
      case OpCode::kExpand:
        return add_repeat(node);
      case OpCode::kReshape:
        return;
      default:
        return add_unknown(node);
    }
  }

  void add_unknown(const Node& node) {
    const std::string reason = why(node, "works on all of it");
    for (ValueId id : node.inputs) {
      if (id != kNoValue) atoms_.pin_all(id, reason);
    }
    for (ValueId id : node.outputs) atoms_.pin_all(id, reason);
  }

  void unite_vector(const Node& node, size_t input, ValueId like, size_t axis) {
    if (node.inputs.size() > input && node.inputs[input] != kNoValue)
      atoms_.unite_axes(node.inputs[input], 0, like, axis);
  }

  // NHWC: batch and channels are passed on, rows and columns stay.
  void add_spatial(const Node& node) {
    const ValueId x = node.inputs[0];
    const ValueId y = node.outputs[0];
    const size_t channel = rank(x) - 1;
    const std::string reason = why(node, "works on rows and columns");
    atoms_.unite_axes(x, 0, y, 0);
    for (size_t axis = 1; axis < channel; ++axis) {
      atoms_.pin_axis(x, axis, reason);
      atoms_.pin_axis(y, axis, reason);
    }
    if (node.code == OpCode::kConv2d || node.code == OpCode::kConvTranspose2d) return;
    atoms_.unite_axes(x, channel, y, channel);
    if (node.code != OpCode::kInstanceNorm) return;
    unite_vector(node, 1, x, channel);
    unite_vector(node, 2, x, channel);
  }

  void add_conv(const Node& node) {
    add_spatial(node);
    const ValueId x = node.inputs[0];
    const ValueId w = node.inputs[1];
    const ValueId y = node.outputs[0];
    const std::string reason = why(node, "works on rows and columns");
    atoms_.pin_axis(w, 1, reason);
    atoms_.pin_axis(w, 2, reason);
    atoms_.unite_axes(y, 3, w, 0);
    unite_vector(node, 2, w, 0);
    const int64_t groups = node.attrs<plan::Conv2dT>().groups;
    if (groups == 1) {
      atoms_.unite_axes(x, 3, w, 3);
    } else {
      add_groups(node, groups);
    }
  }

  // Whole groups go, when there are at least as many as channels in one (depthwise above all); otherwise the
  // same channels of every group.
  void add_groups(const Node& node, int64_t groups) {
    const ValueId x = node.inputs[0];
    const ValueId w = node.inputs[1];
    const int64_t in = shape(w)[3];
    const int64_t out = shape(w)[0] / groups;
    const bool whole = groups >= in;
    if (whole) atoms_.pin_axis(w, 3, why(node, "needs all channels of a group"));
    for (int64_t g = 0; g < groups; ++g) {
      for (int64_t i = 0; i < in; ++i) {
        atoms_.unite(whole ? atoms_.at(x, 3, g * in) : atoms_.at(w, 3, i), atoms_.at(x, 3, g * in + i));
      }
      for (int64_t o = 0; o < out; ++o) {
        atoms_.unite(whole ? atoms_.at(x, 3, g * in) : atoms_.at(w, 0, o), atoms_.at(w, 0, g * out + o));
      }
    }
  }

  void add_fully_connected(const Node& node) {
    const ValueId x = node.inputs[0];
    const ValueId w = node.inputs[1];
    const ValueId y = node.outputs[0];
    const size_t last = rank(x) - 1;
    for (size_t axis = 0; axis < last; ++axis) atoms_.unite_axes(x, axis, y, axis);
    atoms_.unite_axes(x, last, w, 1);
    atoms_.unite_axes(y, last, w, 0);
    unite_vector(node, 2, w, 0);
  }

  void add_mat_mul(const Node& node) {
    const ValueId a = node.inputs[0];
    const ValueId b = node.inputs[1];
    const ValueId y = node.outputs[0];
    const bool transposed = node.attrs<plan::MatMulT>().transpose_b;
    const size_t depth = rank(b) - (transposed ? 1 : 2);
    const size_t columns = rank(b) - (transposed ? 2 : 1);
    atoms_.unite_axes(a, rank(a) - 1, b, depth);
    atoms_.unite_axes(a, rank(a) - 2, y, rank(y) - 2);
    atoms_.unite_axes(b, columns, y, rank(y) - 1);
    for (ValueId operand : {a, b}) {
      for (size_t axis = 0; axis + 2 < rank(operand); ++axis) {
        const size_t out = axis + rank(y) - rank(operand);
        if (shape(operand)[axis] != shape(y)[out]) continue;
        atoms_.unite_axes(operand, axis, y, out);
        atoms_.mark_heads(y, out);
      }
    }
  }

  void add_reduce(const Node& node) {
    const auto& reduce = node.attrs<plan::ReduceT>();
    const ValueId x = node.inputs[0];
    const ValueId y = node.outputs[0];
    size_t out = 0;
    for (size_t axis = 0; axis < rank(x); ++axis) {
      const bool reduced =
          std::find(reduce.axes.begin(), reduce.axes.end(), static_cast<int32_t>(axis)) != reduce.axes.end();
      if (reduced) {
        atoms_.pin_axis(x, axis, why(node, "combines all of it"));
        out += reduce.keep_dims ? 1 : 0;
      } else {
        atoms_.unite_axes(x, axis, y, out++);
      }
    }
  }

  // Axes are aligned from the last one; one of length 1 is repeated.
  void add_elementwise(const Node& node) {
    const ValueId y = node.outputs[0];
    for (ValueId x : node.inputs) {
      for (size_t axis = 0; axis < rank(x); ++axis) {
        const size_t out = axis + rank(y) - rank(x);
        if (shape(x)[axis] == shape(y)[out]) atoms_.unite_axes(x, axis, y, out);
      }
    }
  }

  void unite_all(const Node& node) {
    for (size_t axis = 0; axis < rank(node.inputs[0]); ++axis)
      atoms_.unite_axes(node.inputs[0], axis, node.outputs[0], axis);
  }

  void add_softmax(const Node& node) {
    unite_all(node);
    const int32_t axis = node.attrs<plan::SoftmaxT>().axis;
    const size_t index =
        axis < 0 ? rank(node.inputs[0]) - static_cast<size_t>(-axis) : static_cast<size_t>(axis);
    atoms_.pin_axis(node.inputs[0], index, why(node, "normalizes over it"));
  }

  void add_layer_norm(const Node& node) {
    unite_all(node);
    const std::string reason = why(node, "normalizes over it");
    const size_t first = rank(node.inputs[0]) - static_cast<size_t>(node.attrs<plan::LayerNormT>().axes);
    for (size_t axis = first; axis < rank(node.inputs[0]); ++axis)
      atoms_.pin_axis(node.inputs[0], axis, reason);
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != kNoValue) atoms_.pin_all(node.inputs[i], reason);
    }
  }

  void add_concat(const Node& node) {
    const ValueId y = node.outputs[0];
    const size_t axis = static_cast<size_t>(node.attrs<plan::ConcatT>().axis);
    int64_t offset = 0;
    for (ValueId x : node.inputs) {
      for (size_t i = 0; i < rank(x); ++i) {
        if (i != axis) atoms_.unite_axes(x, i, y, i);
      }
      for (int64_t i = 0; i < shape(x)[axis]; ++i)
        atoms_.unite(atoms_.at(x, axis, i), atoms_.at(y, axis, offset + i));
      offset += shape(x)[axis];
    }
  }

  void add_slice(const Node& node) {
    const auto& slice = node.attrs<plan::SliceT>();
    const ValueId x = node.inputs[0];
    const ValueId y = node.outputs[0];
    for (size_t axis = 0; axis < rank(x); ++axis) {
      for (int64_t i = 0; i < shape(y)[axis]; ++i)
        atoms_.unite(atoms_.at(x, axis, slice.starts[axis] + i * slice.steps[axis]), atoms_.at(y, axis, i));
      if (slice.steps[axis] != 1 && shape(y)[axis] > 1)
        atoms_.pin_axis(x, axis, why(node, "takes every so-manieth of it"));
    }
  }

  void add_pad(const Node& node) {
    const auto& pad = node.attrs<plan::PadT>();
    const ValueId x = node.inputs[0];
    const ValueId y = node.outputs[0];
    for (size_t axis = 0; axis < rank(x); ++axis) {
      for (int64_t i = 0; i < shape(x)[axis]; ++i)
        atoms_.unite(atoms_.at(x, axis, i), atoms_.at(y, axis, i + pad.before[axis]));
      const bool padded = pad.before[axis] != 0 || pad.after[axis] != 0;
      if (padded && pad.mode != plan::PadMode::kConstant) {
        atoms_.pin_axis(y, axis, why(node, "continues it by itself"));
      }
    }
  }

  void add_transpose(const Node& node) {
    const auto& perm = node.attrs<plan::TransposeT>().perm;
    for (size_t axis = 0; axis < perm.size(); ++axis)
      atoms_.unite_axes(node.inputs[0], static_cast<size_t>(perm[axis]), node.outputs[0], axis);
  }

  void add_repeat(const Node& node) {
    const ValueId x = node.inputs[0];
    const ValueId y = node.outputs[0];
    const std::string reason = why(node, "repeats it");
    for (size_t out = 0; out < rank(y); ++out) {
      const bool has = out + rank(x) >= rank(y);
      const size_t axis = has ? out + rank(x) - rank(y) : 0;
      if (has && shape(x)[axis] == shape(y)[out]) {
        atoms_.unite_axes(x, axis, y, out);
      } else {
        if (has) atoms_.pin_axis(x, axis, reason);
        atoms_.pin_axis(y, out, reason);
      }
    }
  }

  const Graph& graph_;
  Atoms& atoms_;
};

}  // namespace

void add_constraints(const Graph& graph, Atoms& atoms) { Constraints(graph, atoms).run(); }

}  // namespace bantam::compiler
