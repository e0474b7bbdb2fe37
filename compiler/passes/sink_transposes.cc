// Transposes move towards the outputs, through every op that does not care, until they meet their inverse and
// both vanish. What channels_last wrapped around each spatial op so disappears between them.
//
// A rule takes a node whose input is a Transpose T(perm) of x and expresses it as: the op on x, then T'. In
// the notation of ONNX, axis i of the transposed tensor is axis perm[i] of x.
#include <algorithm>
#include <map>
#include <numeric>

#include "ops/op_def.h"
#include "passes/pass.h"
#include "passes/rewriter.h"
#include "passes/transposes.h"

namespace bantam::compiler {
namespace {

using Perm = std::vector<int>;

Perm perm_of(const Node& node) {
  const auto& perm = node.attrs<plan::TransposeT>().perm;
  return {perm.begin(), perm.end()};
}

class Sinker {
 public:
  explicit Sinker(Graph& graph) : graph_(graph), rewriter_(graph) {}

  bool run() {
    for (Node& node : rewriter_.old_nodes()) {
      if (!sink(node)) keep(std::move(node));
    }
    return changed_;
  }

 private:
  void keep(Node node) {
    if (node.code == OpCode::kTranspose) {
      transposes_[node.outputs[0]] = {node.inputs[0], perm_of(node)};
    }
    rewriter_.keep(std::move(node));
  }

  struct Transposed {
    ValueId source = kNoValue;
    Perm perm;
  };
  const Transposed* transposed(ValueId id) const {
    const auto found = transposes_.find(id);
    return found == transposes_.end() ? nullptr : &found->second;
  }

  // Emits `node` on untransposed inputs, then the transposition `perm` into the node's output.
  bool emit_before(Node& node, std::vector<ValueId> inputs, Attributes attributes, const Perm& perm,
                   std::optional<TensorType> type = std::nullopt) {
    const ValueId output = node.outputs[0];
    const ValueId result =
        rewriter_.add(node.code, node.name, std::move(inputs), std::move(attributes), std::move(type));
    graph_.value(result).name = graph_.value(output).name;
    graph_.value(result).quantization = graph_.value(output).quantization;
    Node transpose{OpCode::kTranspose, node.name, {result}, {output}, transpose_by(perm)};
    keep(std::move(transpose));
    changed_ = true;
    return true;
  }

  // The type whose transposition by `perm` is `type`.
  static TensorType before(const TensorType& type, const Perm& perm) {
    TensorType source = type;
    for (size_t i = 0; i < perm.size(); ++i) source.shape[static_cast<size_t>(perm[i])] = type.shape[i];
    return source;
  }

  bool sink(Node& node) {
    if (node.inputs.empty() || node.outputs.size() != 1) return false;
    if (node.code == OpCode::kTranspose) return compose(node);
    if (op_def(node.code).elementwise) return sink_elementwise(node);
    if (node.code == OpCode::kConcat) return sink_concat(node);
    const Transposed* t = transposed(node.inputs[0]);
    if (t == nullptr) return false;
    switch (node.code) {
      case OpCode::kSlice:
        return sink_slice(node, *t);
      case OpCode::kPad:
        return sink_pad(node, *t);
      case OpCode::kReduce:
        return sink_reduce(node, *t);
      case OpCode::kArgMax:
        return sink_argmax(node, *t);
      case OpCode::kSoftmax:
        return sink_softmax(node, *t);
      case OpCode::kReshape:
        return sink_reshape(node, *t);
      case OpCode::kFullyConnected:
      case OpCode::kNarrowFullyConnected:
      case OpCode::kLayerNorm:
        return sink_last_axis_op(node, *t);
      case OpCode::kTile:
      case OpCode::kCast:
      case OpCode::kCopy:
        return node.code == OpCode::kCopy && graph_.is_output(node.outputs[0])
                   ? false
                   : emit_before(node, {t->source}, node.attributes, t->perm,
                                 before(graph_.value(node.outputs[0]).type, t->perm));
      default:
        return false;
    }
  }

  bool compose(Node& node) {
    const Transposed* t = transposed(node.inputs[0]);
    if (t == nullptr) return false;
    Perm perm = perm_of(node);
    for (int& axis : perm) axis = t->perm[static_cast<size_t>(axis)];
    node.inputs[0] = t->source;
    node.attributes = transpose_by(perm);
    changed_ = true;
    keep(std::move(node));
    return true;
  }

  // `id` as it looks before the transposition by `perm`; kNoValue when that would cost a transposition at run
  // time.
  ValueId untransposed(ValueId id, const Perm& perm) {
    const Transposed* t = transposed(id);
    if (t != nullptr && t->perm == perm) return t->source;
    const Shape& shape = graph_.shape(id);
    if (shape.size() > perm.size()) return kNoValue;
    Shape full(perm.size() - shape.size(), 1);
    full.insert(full.end(), shape.begin(), shape.end());
    if (graph_.is_constant(id)) return untransposed_constant(id, full, perm);
    if (element_count(shape) == 1 && shape.empty()) return id;
    const Perm back = inverse(perm);
    if (!moves_only_ones(full, back)) return kNoValue;
    Shape moved(full.size());
    for (size_t i = 0; i < back.size(); ++i) moved[i] = full[static_cast<size_t>(back[i])];
    return moved == shape ? id
                          : rewriter_.add(OpCode::kReshape, graph_.value(id).name, {id}, {},
                                          TensorType{graph_.dtype(id), moved});
  }

  ValueId untransposed_constant(ValueId id, const Shape& full, const Perm& perm) {
    if (graph_.constant(id).elements() == 1) return id;
    Tensor tensor = graph_.constant(id);
    tensor.type.shape = full;
    return graph_.add_constant(graph_.value(id).name, permuted(tensor, inverse(perm)));
  }

  bool sink_elementwise(Node& node) {
    const Transposed* first = nullptr;
    for (ValueId id : node.inputs) {
      if (id != kNoValue && first == nullptr) first = transposed(id);
    }
    if (first == nullptr || graph_.shape(node.outputs[0]).size() != first->perm.size()) return false;
    const Perm perm = first->perm;
    std::vector<ValueId> inputs;
    int removed = 0;
    int inserted = 0;
    std::vector<ValueId> awkward;
    for (ValueId id : node.inputs) {
      const ValueId source = id == kNoValue ? kNoValue : untransposed(id, perm);
      if (id != kNoValue && source == kNoValue) {
        if (graph_.shape(id).size() != perm.size()) return false;
        ++inserted;
        awkward.push_back(id);
      } else if (id != kNoValue && transposed(id) != nullptr) {
        ++removed;
      }
      inputs.push_back(source);
    }
    if (inserted > 1 || inserted > removed) return false;
    if (inserted == 1) {
      // One transposition moves from one input to the other: worth it only towards a cancellation below.
      const ValueId moved =
          rewriter_.add(OpCode::kTranspose, node.name, {awkward[0]}, transpose_by(inverse(perm)));
      for (ValueId& id : inputs) id = id == kNoValue ? moved : id;
    }
    return emit_before(node, inputs, node.attributes, perm, before(graph_.value(node.outputs[0]).type, perm));
  }

  bool sink_concat(Node& node) {
    const Transposed* first = nullptr;
    for (ValueId id : node.inputs) first = first == nullptr ? transposed(id) : first;
    if (first == nullptr) return false;
    const Perm perm = first->perm;
    std::vector<ValueId> inputs;
    int inserted = 0;
    int removed = 0;
    for (ValueId id : node.inputs) {
      ValueId source = graph_.shape(id).size() == perm.size() ? untransposed(id, perm) : kNoValue;
      if (source == kNoValue) ++inserted;
      removed += transposed(id) != nullptr ? 1 : 0;
      inputs.push_back(source);
    }
    if (inserted > 0 && inserted >= removed) return false;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == kNoValue) {
        inputs[i] =
            rewriter_.add(OpCode::kTranspose, node.name, {node.inputs[i]}, transpose_by(inverse(perm)));
      }
    }
    plan::ConcatT concat = node.attrs<plan::ConcatT>();
    concat.axis = perm[static_cast<size_t>(concat.axis)];
    return emit_before(node, inputs, concat, perm);
  }

  static std::vector<int32_t> moved(const std::vector<int32_t>& by_axis, const Perm& perm) {
    std::vector<int32_t> result(by_axis.size());
    for (size_t i = 0; i < perm.size(); ++i) result[static_cast<size_t>(perm[i])] = by_axis[i];
    return result;
  }

  bool sink_slice(Node& node, const Transposed& t) {
    plan::SliceT slice = node.attrs<plan::SliceT>();
    slice.starts = moved(slice.starts, t.perm);
    slice.steps = moved(slice.steps, t.perm);
    return emit_before(node, {t.source}, slice, t.perm, before(graph_.value(node.outputs[0]).type, t.perm));
  }

  bool sink_pad(Node& node, const Transposed& t) {
    plan::PadT pad = node.attrs<plan::PadT>();
    pad.before = moved(pad.before, t.perm);
    pad.after = moved(pad.after, t.perm);
    return emit_before(node, {t.source}, pad, t.perm);
  }

  // The transposition that remains when `axes` (of x) are gone.
  static Perm without_axes(const Perm& perm, const std::vector<int32_t>& axes) {
    Perm rest;
    for (int axis : perm) {
      if (std::find(axes.begin(), axes.end(), axis) != axes.end()) continue;
      rest.push_back(axis - static_cast<int>(std::count_if(axes.begin(), axes.end(),
                                                           [&](int32_t a) { return a < axis; })));
    }
    return rest;
  }

  bool sink_reduce(Node& node, const Transposed& t) {
    plan::ReduceT reduce = node.attrs<plan::ReduceT>();
    for (int32_t& axis : reduce.axes) axis = t.perm[static_cast<size_t>(axis)];
    std::sort(reduce.axes.begin(), reduce.axes.end());
    return emit_before(node, {t.source}, reduce,
                       reduce.keep_dims ? t.perm : without_axes(t.perm, reduce.axes));
  }

  bool sink_argmax(Node& node, const Transposed& t) {
    plan::ArgMaxT arg = node.attrs<plan::ArgMaxT>();
    arg.axis = t.perm[static_cast<size_t>(arg.axis)];
    return emit_before(node, {t.source}, arg, arg.keep_dims ? t.perm : without_axes(t.perm, {arg.axis}));
  }

  bool sink_softmax(Node& node, const Transposed& t) {
    plan::SoftmaxT softmax = node.attrs<plan::SoftmaxT>();
    softmax.axis = t.perm[static_cast<size_t>(softmax.axis)];
    return emit_before(node, {t.source}, softmax, t.perm);
  }

  // Ops over the last axis whose other axes are a batch.
  bool sink_last_axis_op(Node& node, const Transposed& t) {
    if (node.code == OpCode::kLayerNorm && node.attrs<plan::LayerNormT>().axes != 1) return false;
    if (t.perm.empty() || t.perm.back() != static_cast<int>(t.perm.size()) - 1) return false;
    std::vector<ValueId> inputs = node.inputs;
    inputs[0] = t.source;
    return emit_before(node, inputs, node.attributes, t.perm);
  }

  bool sink_reshape(Node& node, const Transposed& t) {
    const Shape& source = graph_.shape(t.source);
    const Shape& target = graph_.shape(node.outputs[0]);
    const auto plan = reshape_before_transpose(source, t.perm, target);
    if (!plan) return false;
    ValueId x = t.source;
    const DType dtype = graph_.dtype(x);
    if (!is_identity(plan->inner))
      x = rewriter_.add(OpCode::kTranspose, node.name, {x}, transpose_by(plan->inner));
    return emit_before(node, {x}, {}, plan->outer, TensorType{dtype, plan->shape});
  }

  Graph& graph_;
  Rewriter rewriter_;
  std::map<ValueId, Transposed> transposes_;
  bool changed_ = false;
};

// A Transpose that only moves axes of size 1 is a Reshape.
void weaken_trivial(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (node.code == OpCode::kTranspose && moves_only_ones(graph.shape(node.inputs[0]), perm_of(node))) {
      node.code = OpCode::kReshape;
      node.attributes = {};
    }
  }
}

// Flatten (a Reshape to [N, C*H*W] of a transposed tensor) into FullyConnected: the weights' columns are
// permuted instead.
bool permute_flattened_weights(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  const auto producer = [&](ValueId id) {
    const int index = uses.producer[static_cast<size_t>(id)];
    return index < 0 ? nullptr : &graph.nodes[static_cast<size_t>(index)];
  };
  for (Node& node : graph.nodes) {
    const bool layer = node.code == OpCode::kFullyConnected || node.code == OpCode::kNarrowFullyConnected;
    if (!layer || !graph.is_constant(node.inputs[1])) continue;
    Node* flatten = producer(node.inputs[0]);
    if (flatten == nullptr || flatten->code != OpCode::kReshape) continue;
    if (uses.sole_reader(graph, flatten->outputs[0]) < 0) continue;
    const Node* transpose = producer(flatten->inputs[0]);
    if (transpose == nullptr || transpose->code != OpCode::kTranspose) continue;
    const Perm perm = perm_of(*transpose);
    const Shape& flat = graph.shape(flatten->outputs[0]);
    const Shape& shape = graph.shape(transpose->outputs[0]);
    if (flat.size() != 2 || perm.empty() || perm[0] != 0 || flat[0] != shape[0]) continue;
    Tensor weights = graph.constant(node.inputs[1]);
    const Shape flat_weights = weights.type.shape;
    weights.type.shape = shape;
    weights.type.shape[0] = flat_weights[0];
    Tensor moved = permuted(weights, inverse(perm));
    moved.type.shape = flat_weights;
    const std::optional<Quantization> quantization = graph.value(node.inputs[1]).quantization;
    node.inputs[1] = graph.add_constant(graph.value(node.inputs[1]).name, std::move(moved));
    graph.value(node.inputs[1]).quantization = quantization;
    flatten->inputs[0] = transpose->inputs[0];
    changed = true;
  }
  return changed;
}

}  // namespace

void sink_transposes(Graph& graph, PassContext& context) {
  // Each round moves every transpose at least one op further down, so the graph's length bounds the rounds.
  const size_t rounds = graph.nodes.size() + 8;
  for (size_t round = 0; round < rounds; ++round) {
    const bool sunk = Sinker(graph).run();
    simplify(graph, context);
    weaken_trivial(graph);
    if (!permute_flattened_weights(graph) && !sunk) break;
  }
  simplify(graph, context);
}

}  // namespace bantam::compiler
