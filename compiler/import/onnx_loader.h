// An ONNX file becomes a Graph: opset 7 to 22, fp32 and fp16 weights (held as fp32), external data.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/node_importer.h"
#include "ir/graph.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace bantam::compiler {

inline constexpr int kMinOpset = 7;
inline constexpr int kMaxOpset = 22;

// `shapes` binds free dimensions of graph inputs; a free first dimension that is not bound becomes 1.
// Throws CompileError: the file cannot be read, is damaged, or holds something outside bantam's set.
Graph load_onnx(const std::string& path, const std::map<std::string, std::vector<int64_t>>& shapes,
                const Evaluator& evaluate);

// Both steps of it; `path` tells where external data lie, and names the file in messages.
onnx::ModelProto read_onnx(const std::string& path);
Graph import_onnx(const onnx::ModelProto& model, const std::string& path,
                  const std::map<std::string, std::vector<int64_t>>& shapes, const Evaluator& evaluate);

}  // namespace bantam::compiler
