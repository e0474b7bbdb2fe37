// The graph as an ONNX model again: opset 17, NCHW.
#pragma once

#include <string>

#include "ir/graph.h"

namespace bantam::compiler {

// `graph` is NHWC, its float inputs and outputs the model's own; image preprocessing is left out. With
// `free_batch` the first dimension, 1 in the graph (see keeps_samples_apart), is left open. Returns the file's
// bytes. Throws CompileError for what ONNX has no operator for.
std::string write_onnx(const Graph& graph, bool free_batch = false);

}  // namespace bantam::compiler
