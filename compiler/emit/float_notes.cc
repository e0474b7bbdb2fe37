#include "emit/float_notes.h"

#include <fmt/format.h>

#include <algorithm>

#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

bool says_why_float(const Graph& graph, const std::string& node) {
  return std::any_of(graph.notes.begin(), graph.notes.end(), [&](const plan::NoteT& note) {
    return note.node == node && note.text.find("stays float") != std::string::npos;
  });
}

}  // namespace

void note_float_ops(Graph& graph) {
  const Uses uses(graph);
  for (const Node& node : graph.nodes) {
    if (node.code != OpCode::kDequantize) continue;
    for (int reader : uses.readers[static_cast<size_t>(node.outputs[0])]) {
      const Node& op = graph.nodes[static_cast<size_t>(reader)];
      if (says_why_float(graph, op.name)) continue;
      const bool able = op_def(op.code).int8 != Int8Rule::kNone;
      graph.note(op.name, fmt::format("{} stays float32: {}", op_def(op.code).name,
                                      able ? "not all that it reads is int8" : "it has no int8 kernel"));
    }
  }
}

}  // namespace bantam::compiler
