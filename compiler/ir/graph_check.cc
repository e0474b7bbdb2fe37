#include <fmt/format.h>

#include <exception>

#include "bantam/compiler/error.h"
#include "ir/graph.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

class Checker {
 public:
  Checker(const Graph& graph, const std::string& after)
      : graph_(graph),
        after_(after),
        defined_(graph.values.size(), false),
        shares_memory_(graph.values.size(), false),
        written_(graph.values.size(), false) {}

  void run() {
    for (size_t i = 0; i < graph_.values.size(); ++i) check_view(static_cast<ValueId>(i));
    for (size_t i = 0; i < graph_.values.size(); ++i) check_constant(static_cast<ValueId>(i));
    for (ValueId id : graph_.inputs) {
      check_range(id, "the graph's inputs");
      define(id, "the graph's inputs");
    }
    for (const Node& node : graph_.nodes) check_node(node);
    for (ValueId id : graph_.outputs) check_defined(id, "the graph's outputs");
  }

 private:
  [[noreturn]] void fail(const std::string& text) const {
    throw InternalError(fmt::format("graph broken after {}: {}", after_, text));
  }

  std::string label(ValueId id) const { return fmt::format("value %{} '{}'", id, graph_.value(id).name); }

  static std::string label(const Node& node) {
    return fmt::format("{} node '{}'", op_def(node.code).name, node.name);
  }

  void check_view(ValueId id) {
    if (!graph_.value(id).view) return;
    size_t length = 0;
    for (ValueId v = id; graph_.value(v).view; v = graph_.value(v).view->base) {
      check_range(graph_.value(v).view->base, label(v));
      if (++length > graph_.values.size()) fail(label(id) + " is a view of itself");
    }
    shares_memory_[static_cast<size_t>(id)] = true;
    shares_memory_[static_cast<size_t>(root(id))] = true;
  }

  ValueId root(ValueId id) const {
    while (graph_.value(id).view) id = graph_.value(id).view->base;
    return id;
  }

  void check_constant(ValueId id) {
    const Value& value = graph_.value(id);
    if (value.constant == nullptr) return;
    define(id, "the constants");
    const Tensor& tensor = *value.constant;
    if (tensor.type != value.type) {
      fail(fmt::format("{} is {} but holds {}", label(id), to_string(value.type), to_string(tensor.type)));
    }
    if (tensor.bytes.size() != static_cast<size_t>(tensor.elements()) * element_size(tensor.type.dtype)) {
      fail(fmt::format("{} is {} but holds {} bytes", label(id), to_string(value.type), tensor.bytes.size()));
    }
  }

  void check_range(ValueId id, const std::string& where) const {
    if (id < 0 || static_cast<size_t>(id) >= graph_.values.size()) {
      fail(fmt::format("{}: value %{} does not exist", where, id));
    }
  }

  void define(ValueId id, const std::string& where) {
    if (defined_[static_cast<size_t>(id)]) fail(fmt::format("{}: {} is made twice", where, label(id)));
    defined_[static_cast<size_t>(id)] = true;
    written_[static_cast<size_t>(root(id))] = true;
  }

  void check_defined(ValueId id, const std::string& where) const {
    check_range(id, where);
    // A reshape that share_memory took away leaves a value that is another one under a new shape.
    const bool shared = shares_memory_[static_cast<size_t>(id)] && written_[static_cast<size_t>(root(id))];
    if (!defined_[static_cast<size_t>(id)] && !shared)
      fail(fmt::format("{}: {} is read before it is made", where, label(id)));
  }

  void check_node(const Node& node) {
    const std::string where = label(node);
    for (ValueId id : node.inputs) {
      if (id != kNoValue) check_defined(id, where);
    }
    if (node.outputs.size() != 1)
      fail(fmt::format("{}: {} outputs instead of 1", where, node.outputs.size()));
    const ValueId out = node.outputs[0];
    check_range(out, where);
    define(out, where);
    const TensorType inferred = infer(node, where);
    if (inferred != graph_.value(out).type) {
      fail(fmt::format("{}: {} is {}, by its inputs it is {}", where, label(out),
                       to_string(graph_.value(out).type), to_string(inferred)));
    }
  }

  TensorType infer(const Node& node, const std::string& where) const {
    try {
      return op_def(node.code).infer(graph_, node);
    } catch (const std::exception& error) {
      fail(fmt::format("{}: {}", where, error.what()));
    }
  }

  const Graph& graph_;
  const std::string& after_;
  std::vector<bool> defined_;        // by value
  std::vector<bool> shares_memory_;  // by value: it is a view or the root of one
  std::vector<bool> written_;        // by root of shared memory
};

}  // namespace

void check_graph(const Graph& graph, const std::string& after) { Checker(graph, after).run(); }

}  // namespace bantam::compiler
