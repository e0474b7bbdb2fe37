#include "tune/scale_units.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace bantam::compiler {
namespace {

class UnionFind {
 public:
  explicit UnionFind(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0); }

  int find(int i) {
    while (parent_[static_cast<size_t>(i)] != i) {
      int& parent = parent_[static_cast<size_t>(i)];
      parent = parent_[static_cast<size_t>(parent)];
      i = parent;
    }
    return i;
  }
  void unite(int a, int b) { parent_[static_cast<size_t>(find(a))] = find(b); }

 private:
  std::vector<int> parent_;
};

const plan::Clamp* clamp_of(const Node& node) {
  return std::visit(
      [](const auto& attributes) -> const plan::Clamp* {
        if constexpr (requires { attributes.clamp; }) return attributes.clamp.get();
        return nullptr;
      },
      node.attributes);
}

class Finder {
 public:
  explicit Finder(const Graph& graph)
      : graph_(graph),
        first_(first_channels(graph)),
        channels_(static_cast<size_t>(first_.back())),
        joined_(graph.values.size()),
        pinned_(graph.values.size(), false) {}

  ScaleUnits run() {
    for (ValueId id : graph_.inputs) pin(id);
    for (ValueId id : graph_.outputs) pin(id);
    for (const Node& node : graph_.nodes) visit(node);
    return collect();
  }

 private:
  static std::vector<int> first_channels(const Graph& graph) {
    std::vector<int> first = {0};
    for (const Value& value : graph.values) {
      const bool counts = !value.constant && value.type.dtype == DType::kFloat32 && !value.type.shape.empty();
      first.push_back(first.back() + (counts ? static_cast<int>(value.type.shape.back()) : 0));
    }
    return first;
  }

  int count(ValueId id) const {
    return first_[static_cast<size_t>(id) + 1] - first_[static_cast<size_t>(id)];
  }
  int at(ValueId id, int channel) const { return first_[static_cast<size_t>(id)] + channel; }

  void pin(ValueId id) {
    if (id != kNoValue) pinned_[static_cast<size_t>(id)] = true;
  }
  void pin_all(const Node& node) {
    for (ValueId id : node.inputs) pin(id);
    for (ValueId id : node.outputs) pin(id);
  }

  // Channel `a_channel` of `a` is channel `a_channel + offset` of `b`.
  void unite(ValueId a, ValueId b, int offset = 0) {
    for (int c = 0; c < count(a); ++c) channels_.unite(at(a, c), at(b, c + offset));
    joined_.unite(a, b);
  }

  void visit(const Node& node) {
    if (graph_.dtype(node.outputs[0]) != DType::kFloat32) return pin_all(node);
    switch (node.code) {
      case OpCode::kConv2d:
      case OpCode::kConvTranspose2d:
      case OpCode::kFullyConnected:
        if (!multiplies_by_constants(graph_, node)) pin_all(node);
        return;
      case OpCode::kBinary:
        return visit_binary(node);
      case OpCode::kConcat:
        return visit_concat(node);
      case OpCode::kReshape:
        return visit_reshape(node);
      default:
        if (!keeps_channels(node)) return pin_all(node);
        return unite(node.inputs[0], node.outputs[0]);
    }
  }

  bool keeps_channels(const Node& node) const {
    const ValueId x = node.inputs.empty() ? kNoValue : node.inputs[0];
    if (x == kNoValue || graph_.is_constant(x) || count(x) == 0 || count(x) != count(node.outputs[0]))
      return false;
    const int last = static_cast<int>(graph_.shape(x).size()) - 1;
    switch (node.code) {
      case OpCode::kUnary: {
        const auto kind = node.attrs<plan::UnaryT>().kind;
        return kind == plan::UnaryKind::kClamp || kind == plan::UnaryKind::kLeakyRelu;
      }
      case OpCode::kMaxPool2d:
      case OpCode::kAveragePool2d:
      case OpCode::kSlice:
        return true;
      case OpCode::kReduce: {
        const auto& reduce = node.attrs<plan::ReduceT>();
        const bool linear = reduce.kind == plan::ReduceKind::kMean || reduce.kind == plan::ReduceKind::kMax ||
                            reduce.kind == plan::ReduceKind::kMin || reduce.kind == plan::ReduceKind::kSum;
        return linear && std::find(reduce.axes.begin(), reduce.axes.end(), last) == reduce.axes.end();
      }
      case OpCode::kPad: {
        const auto& pad = node.attrs<plan::PadT>();
        return (pad.mode != plan::PadMode::kConstant || pad.value == 0) && pad.before.back() == 0 &&
               pad.after.back() == 0;
      }
      case OpCode::kTranspose:
        return node.attrs<plan::TransposeT>().perm.back() == last;
      case OpCode::kResize:
        return node.attrs<plan::ResizeT>().coordinates != plan::CoordinateMode::kTfCropAndResize;
      default:
        return false;
    }
  }

  void visit_binary(const Node& node) {
    const auto kind = node.attrs<plan::BinaryT>().kind;
    const ValueId a = node.inputs[0], b = node.inputs[1], y = node.outputs[0];
    const bool sum = kind == plan::BinaryKind::kAdd || kind == plan::BinaryKind::kSub ||
                     kind == plan::BinaryKind::kMin || kind == plan::BinaryKind::kMax;
    const bool alike = count(a) > 0 && count(a) == count(b) && count(a) == count(y);
    if (!sum || !alike) return pin_all(node);
    unite(a, y);
    unite(b, y);
  }

  void visit_concat(const Node& node) {
    const ValueId y = node.outputs[0];
    const int last = static_cast<int>(graph_.shape(y).size()) - 1;
    const bool all =
        std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return count(id) > 0; });
    if (!all) return pin_all(node);
    int offset = 0;
    for (ValueId id : node.inputs) {
      unite(id, y, offset);
      if (node.attrs<plan::ConcatT>().axis == last) offset += count(id);
    }
  }

  // Rows of pixels may become one vector, in which the channels repeat.
  void visit_reshape(const Node& node) {
    ValueId narrow = node.inputs[0], wide = node.outputs[0];
    if (graph_.is_constant(narrow) || count(narrow) == 0 || count(wide) == 0) return pin_all(node);
    if (count(narrow) > count(wide)) std::swap(narrow, wide);
    if (count(wide) % count(narrow) != 0) return pin_all(node);
    for (int c = 0; c < count(wide); ++c) channels_.unite(at(wide, c), at(narrow, c % count(narrow)));
    joined_.unite(wide, narrow);
  }

  ScaleUnits collect() {
    ScaleUnits result;
    result.unit_of.resize(graph_.values.size());
    std::vector<bool> stays(graph_.values.size(), false);  // by root
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      if (pinned_[v]) stays[static_cast<size_t>(joined_.find(static_cast<int>(v)))] = true;
    }
    std::map<int, int> problem_of;  // by root
    std::vector<std::map<int, int>> units;
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const ValueId id = static_cast<ValueId>(v);
      const int root = joined_.find(id);
      if (count(id) == 0 || stays[static_cast<size_t>(root)]) continue;
      const auto [at_problem, is_new] = problem_of.emplace(root, static_cast<int>(units.size()));
      if (is_new) units.emplace_back();
      if (is_new) result.problems.emplace_back();
      const size_t p = static_cast<size_t>(at_problem->second);
      result.problems[p].values.push_back(id);
      for (int c = 0; c < count(id); ++c) {
        const auto unit =
            units[p].emplace(channels_.find(at(id, c)), static_cast<int>(units[p].size())).first;
        result.unit_of[v].push_back(unit->second);
      }
      result.problems[p].units = static_cast<int>(units[p].size());
    }
    add_nodes(result, problem_of);
    return result;
  }

  void add_nodes(ScaleUnits& result, const std::map<int, int>& problem_of) {
    const auto problem = [&](ValueId id) -> ScaleProblem* {
      const auto found = problem_of.find(joined_.find(id));
      return found == problem_of.end() ? nullptr : &result.problems[static_cast<size_t>(found->second)];
    };
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      ScaleProblem* made = problem(node.outputs[0]);
      if (multiplies_by_constants(graph_, node)) {
        ScaleProblem* read = problem(node.inputs[0]);
        if (read != nullptr) read->readers.push_back(static_cast<int>(i));
        if (made != nullptr) made->producers.push_back(static_cast<int>(i));
      }
      if (made != nullptr) add_clamp(*made, node);
    }
  }

  static void add_clamp(ScaleProblem& problem, const Node& node) {
    ClampedValue clamp{node.outputs[0], -INFINITY, INFINITY};
    if (const plan::Clamp* fused = clamp_of(node)) {
      clamp.low = fused->min();
      clamp.high = fused->max();
    } else if (node.code == OpCode::kUnary && node.attrs<plan::UnaryT>().kind == plan::UnaryKind::kClamp) {
      clamp.low = node.attrs<plan::UnaryT>().alpha;
      clamp.high = node.attrs<plan::UnaryT>().beta;
    }
    const auto limits = [](float bound) { return bound != 0 && std::isfinite(bound); };
    if (limits(clamp.low) || limits(clamp.high)) problem.clamps.push_back(clamp);
  }

  const Graph& graph_;
  const std::vector<int> first_;  // by value: its first channel's index
  UnionFind channels_;
  UnionFind joined_;          // values
  std::vector<bool> pinned_;  // by value
};

}  // namespace

ScaleUnits find_scale_units(const Graph& graph) { return Finder(graph).run(); }

bool multiplies_by_constants(const Graph& graph, const Node& node) {
  if (node.code != OpCode::kConv2d && node.code != OpCode::kConvTranspose2d &&
      node.code != OpCode::kFullyConnected)
    return false;
  const bool bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  return !graph.is_constant(node.inputs[0]) && graph.dtype(node.inputs[0]) == DType::kFloat32 &&
         graph.is_constant(node.inputs[1]) && graph.dtype(node.inputs[1]) == DType::kFloat32 &&
         (!bias || (graph.is_constant(node.inputs[2]) && graph.dtype(node.inputs[2]) == DType::kFloat32));
}

}  // namespace bantam::compiler
