// Values that can live in another value's memory become views of it: a Reshape costs nothing, an elementwise
// op works in place.
#include <algorithm>

#include "ops/op_def.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

class MemorySharing {
 public:
  explicit MemorySharing(Graph& graph) : graph_(graph) {}

  void run() {
    drop_reshapes();
    measure_lifetimes();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) work_in_place(static_cast<int>(i));
  }

 private:
  ValueId root(ValueId id) const {
    while (graph_.value(id).view) id = graph_.value(id).view->base;
    return id;
  }
  bool is_input(ValueId id) const {
    return std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
  }

  // A graph output is a buffer of its own; a reshape into one moves the data there, unless what it reads can
  // be made in the output's memory in the first place.
  void drop_reshapes() {
    Rewriter rewriter(graph_);
    for (Node& node : rewriter.old_nodes()) {
      if (node.code != OpCode::kReshape) {
        rewriter.keep(std::move(node));
        continue;
      }
      const ValueId from = node.inputs[0];
      const ValueId to = node.outputs[0];
      if (!graph_.is_output(to) && !graph_.is_constant(from)) {
        graph_.value(to).view = View{from};
      } else if (const ValueId source = root(from); !graph_.is_output(source) && !is_input(source) &&
                                                    !graph_.is_constant(source) && dense_chain(from)) {
        graph_.value(source).view = View{to};
      } else {
        rewriter.keep(std::move(node));
      }
    }
  }

  bool dense_chain(ValueId id) const {
    for (; graph_.value(id).view; id = graph_.value(id).view->base) {
      if (graph_.value(id).view->offset != 0 || graph_.value(id).view->pixel_stride != 0) return false;
    }
    return true;
  }

  void measure_lifetimes() {
    last_read_.assign(graph_.values.size(), -1);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (ValueId id : graph_.nodes[i].inputs) {
        if (id != kNoValue) last_read_[static_cast<size_t>(root(id))] = static_cast<int>(i);
      }
    }
  }

  void work_in_place(int index) {
    const Node& node = graph_.nodes[static_cast<size_t>(index)];
    if (!can_work_in_place(node.code)) return;
    const ValueId output = node.outputs[0];
    if (graph_.value(output).view || graph_.is_output(output) || views_exist(output)) return;
    for (ValueId input : node.inputs) {
      if (input == kNoValue || graph_.is_constant(input)) continue;
      const ValueId memory = root(input);
      const bool dies =
          last_read_[static_cast<size_t>(memory)] == index && !graph_.is_output(memory) && !is_input(memory);
      if (!dies || !dense_chain(input) || !same_bytes(input, output) || !same_bytes(memory, output)) continue;
      graph_.value(output).view = View{memory};
      last_read_[static_cast<size_t>(memory)] = last_read_[static_cast<size_t>(output)];
      return;
    }
  }

  // Kernels of these read each element before they write it, and no other place.
  static bool can_work_in_place(OpCode code) {
    return code == OpCode::kUnary || code == OpCode::kBinary || code == OpCode::kLookup;
  }

  bool views_exist(ValueId id) const {
    return std::any_of(graph_.values.begin(), graph_.values.end(), [&](const Value& value) {
      return value.view && value.view->base == id && value.view->pixel_stride != 0;
    });
  }

  bool same_bytes(ValueId a, ValueId b) const {
    return graph_.dtype(a) == graph_.dtype(b) &&
           element_count(graph_.shape(a)) == element_count(graph_.shape(b));
  }

  Graph& graph_;
  std::vector<int> last_read_;  // by root: index of the last node that reads any view of it
};

}  // namespace

void share_memory(Graph& graph, PassContext&) { MemorySharing(graph).run(); }

}  // namespace bantam::compiler
