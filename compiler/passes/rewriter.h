// The way passes change a graph: they walk the old nodes in order and build the new list.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph), old_(std::move(graph.nodes)) { graph_.nodes.clear(); }
  ~Rewriter() = default;
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  std::vector<Node>& old_nodes() { return old_; }
  void keep(Node node) { graph_.nodes.push_back(std::move(node)); }

  // Names are taken by value: they often are those of values, which move when a value is added.
  // Appends a node and returns its output, whose type is inferred; `type` where the op does not determine it.
  ValueId add(OpCode code, std::string name, std::vector<ValueId> inputs, Attributes attributes = {},
              std::optional<TensorType> type = std::nullopt);
  // Appends a node that makes the existing value `output`.
  void add_into(ValueId output, OpCode code, std::string name, std::vector<ValueId> inputs,
                Attributes attributes = {});

 private:
  Graph& graph_;
  std::vector<Node> old_;
};

// Values that nobody reads and the nodes that make them are dropped (nodes only; values keep their ids).
void drop_dead_nodes(Graph& graph);

std::vector<int> inverse(const std::vector<int>& perm);
plan::TransposeT transpose_by(const std::vector<int>& perm);

}  // namespace bantam::compiler
