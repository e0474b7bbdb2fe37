// Only where the compiler is built in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"
#include "engine/plan.h"

namespace bantam::tools {

std::optional<compiler::ImageOptions> to_compiler(const std::optional<ImageOptions>& options);
std::optional<ImageOptions> from_compiler(const std::optional<compiler::ImageOptions>& options);

// The ONNX model as an fp32 plan that never becomes a file. Warnings go to stderr.
LoadedModel compile_in_memory(const std::string& onnx,
                              const std::map<std::string, std::vector<int64_t>>& shapes,
                              const std::optional<ImageOptions>& image);

}  // namespace bantam::tools
