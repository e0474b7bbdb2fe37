// A model for an input of another size.
#pragma once

#include "bantam/compiler/compiler.h"
#include "import/node_importer.h"

namespace bantam::compiler {

// The model as CompileOptions::shapes and input_size say. For another size than the model's own it is
// imported anew, so that all that depends on the size follows; pooling windows that cover the whole map, not
// padded, cover the whole smaller one too. What the model states of its size stands above `shapes`. Throws
// CompileError as load_onnx does, and where the size cannot change: for other inputs than one float32
// [N,C,H,W], for an op that does not fit the other size, and when an output would change its shape.
Graph load_model(const std::string& path, const CompileOptions& options, const Evaluator& evaluate);

// Throws the CompileError when the graph, as imported, has other inputs than one float32 [N,C,H,W].
void check_resizable(const Graph& graph);

// Whether the node, NCHW, is a pool whose only window is the map, not padded.
bool pools_whole_map(const Graph& graph, const Node& node);

}  // namespace bantam::compiler
