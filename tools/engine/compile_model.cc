#include "engine/compile_model.h"

#include <cstdio>

#include "engine/plan_runner.h"
#include "io/progress.h"

namespace bantam::tools {

std::optional<compiler::ImageOptions> to_compiler(const std::optional<ImageOptions>& options) {
  if (!options) return std::nullopt;
  return compiler::ImageOptions{options->order, options->resize, options->crop, options->mean, options->std};
}

std::optional<ImageOptions> from_compiler(const std::optional<compiler::ImageOptions>& options) {
  if (!options) return std::nullopt;
  return ImageOptions{options->order, options->resize, options->crop, options->mean, options->std};
}

LoadedModel compile_in_memory(const std::string& onnx,
                              const std::map<std::string, std::vector<int64_t>>& shapes,
                              const std::optional<ImageOptions>& image) {
  Progress progress;
  compiler::CompileOptions options;
  options.precision = compiler::Precision::kFp32;  // what a quantized model says, computed in float32
  options.shapes = shapes;
  options.image = to_compiler(image);
  options.progress = [&](std::string_view stage, double fraction) { progress.show(stage, fraction); };
  compiler::CompileResult result = compiler::compile(onnx, options, plan_runner_factory());
  progress.clear();
  for (const std::string& warning : result.warnings)
    std::fprintf(stderr, "bantam: warning: %s\n", warning.c_str());
  Expected<LoadedModel> model = load_plan(result.plan);
  require(model.outcome(), onnx);
  return std::move(*model);
}

}  // namespace bantam::tools
