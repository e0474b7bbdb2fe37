#include "prune/channels/structure.h"

#include <algorithm>
#include <map>

#include "prune/channels/atoms.h"
#include "prune/channels/constraints.h"

namespace bantam::compiler {
namespace {

size_t input_axis(OpCode code) { return code == OpCode::kFullyConnected ? 1 : 3; }

class StructureFinder {
 public:
  explicit StructureFinder(const Graph& graph) : graph_(graph), atoms_(graph) {}

  Structure find() {
    add_constraints(graph_, atoms_);
    for (const Node& node : graph_.nodes) {
      if (has_weights(node.code)) collect_outputs(node);
    }
    number_units();
    group_units();
    return std::move(structure_);
  }

 private:
  ValueId weights_of(const Node& node) const { return node.inputs[1]; }

  // Units are the classes that some layer's outputs belong to, free as a whole.
  void collect_outputs(const Node& node) {
    const int64_t outputs = graph_.shape(weights_of(node))[0];
    const auto is_fixed = [&](int64_t o) { return atoms_.pinned(atoms_.at(weights_of(node), 0, o)); };
    for (int64_t o = 0; o < outputs; ++o) {
      const int atom = atoms_.at(weights_of(node), 0, o);
      if (!is_fixed(o)) unit_of_root_.try_emplace(atoms_.root(atom), -1);
    }
    if (outputs > 0 && is_fixed(0))
      structure_.fixed.push_back({node.name, atoms_.why_pinned(atoms_.at(weights_of(node), 0, 0))});
  }

  void number_units() {
    structure_.unit_of.resize(graph_.values.size());
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      const Shape& shape = graph_.values[v].type.shape;
      structure_.unit_of[v].resize(shape.size());
      for (size_t axis = 0; axis < shape.size(); ++axis) {
        for (int64_t i = 0; i < shape[axis]; ++i)
          structure_.unit_of[v][axis].push_back(unit_of_atom(atoms_.at(static_cast<ValueId>(v), axis, i)));
      }
    }
  }

  int unit_of_atom(int atom) {
    const auto found = unit_of_root_.find(atoms_.root(atom));
    if (found == unit_of_root_.end()) return -1;
    if (found->second < 0) found->second = structure_.units++;
    return found->second;
  }

  using Signature = std::vector<std::pair<ValueId, size_t>>;

  void group_units() {
    std::vector<Signature> signatures(static_cast<size_t>(structure_.units));
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      for (size_t axis = 0; axis < structure_.unit_of[v].size(); ++axis) {
        const std::pair entry(static_cast<ValueId>(v), axis);
        for (int unit : structure_.unit_of[v][axis]) {
          if (unit < 0) continue;
          Signature& signature = signatures[static_cast<size_t>(unit)];
          if (signature.empty() || signature.back() != entry) signature.push_back(entry);
        }
      }
    }
    std::map<Signature, size_t> groups;
    for (int unit = 0; unit < structure_.units; ++unit) {
      const auto [entry, fresh] =
          groups.try_emplace(signatures[static_cast<size_t>(unit)], structure_.groups.size());
      if (fresh) structure_.groups.push_back(describe(entry->first));
      structure_.groups[entry->second].units.push_back(unit);
    }
  }

  ChannelGroup describe(const Signature& signature) const {
    ChannelGroup group;
    const auto contains = [&](ValueId id, size_t axis) {
      return std::find(signature.begin(), signature.end(), std::pair(id, axis)) != signature.end();
    };
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (!has_weights(node.code)) continue;
      if (contains(weights_of(node), 0)) group.producers.push_back(static_cast<int>(i));
      if (contains(weights_of(node), input_axis(node.code))) group.readers.push_back(static_cast<int>(i));
    }
    group.name = graph_.nodes[static_cast<size_t>(group.producers.at(0))].name;
    return group;
  }

  const Graph& graph_;
  Atoms atoms_;
  Structure structure_;
  std::map<int, int> unit_of_root_;
};

}  // namespace

bool has_weights(OpCode code) {
  return code == OpCode::kConv2d || code == OpCode::kConvTranspose2d || code == OpCode::kFullyConnected;
}

void add_biases(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!has_weights(graph.nodes[i].code)) continue;
    if (graph.nodes[i].inputs.size() > 2 && graph.nodes[i].inputs[2] != kNoValue) continue;
    const int64_t outputs = graph.shape(graph.nodes[i].inputs[1])[0];
    const ValueId bias =
        graph.add_constant(graph.nodes[i].name + " bias", Tensor(TensorType{DType::kFloat32, {outputs}}));
    graph.nodes[i].inputs.resize(2);
    graph.nodes[i].inputs.push_back(bias);
  }
}

void separate_constants(Graph& graph) {
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (size_t i = 0; i < graph.nodes[n].inputs.size(); ++i) {
      const ValueId id = graph.nodes[n].inputs[i];
      const bool weights = has_weights(graph.nodes[n].code) && i == 1;
      if (id == kNoValue || !graph.is_constant(id) || weights) continue;
      const Value original = graph.value(id);
      const ValueId copy = graph.add_value(original.name, original.type);
      graph.value(copy).constant = original.constant;
      graph.nodes[n].inputs[i] = copy;
    }
  }
}

Structure find_structure(const Graph& graph) { return StructureFinder(graph).find(); }

}  // namespace bantam::compiler
