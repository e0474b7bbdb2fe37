#pragma once

#include <string>

#include "ir/graph.h"

namespace bantam::compiler {

// Whether the ONNX file leaves the first dimension of all its inputs open.
bool has_free_batch(const std::string& onnx_path);

// Whether every op of `graph`, which has a batch of 1, treats the samples of a larger batch one by one.
bool keeps_samples_apart(const Graph& graph);

}  // namespace bantam::compiler
