#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "bantam/compiler/error.h"
#include "passes/pass.h"

namespace bantam::compiler {
namespace {

constexpr Pass kPipeline[] = {
    {"import", [](Graph&, PassContext&) {}},  // what the loader made, for --dump-ir
    {"take_images", take_images},
    {"simplify", simplify},
    {"recognize_patterns", recognize_patterns},
    {"channels_last", channels_last},
    {"sink_transposes", sink_transposes},
    {"move_softmax_axis", move_softmax_axis},
    {"fold_constants", fold_constants},
    {"fold_affine", fold_affine},
    {"fuse_padding", fuse_padding},
    {"drop_dead_channels", drop_dead_channels},
    {"prune", prune},
    {"fuse_clamps", fuse_clamps},
    {"simplify_fused", simplify},
    {"sparsify", sparsify},
    {"adopt_quantization", adopt_quantization},
    {"fuse_int8_padding", fuse_padding},
    {"quantize", quantize},
    {"fold_stem", fold_stem},
    {"narrow_matrices", narrow_matrices},
    {"narrow_weights", narrow_weights},
    {"simplify_last", simplify},
    {"share_channels", share_channels},
    {"share_memory", share_memory},
    {"mark_halves", mark_halves},
};

void dump(const Graph& graph, const std::string& directory, size_t number, std::string_view pass) {
  std::filesystem::create_directories(directory);
  const std::string path = fmt::format("{}/{:02}_{}.txt", directory, number, pass);
  std::ofstream file(path);
  file << print_graph(graph);
  if (!file) throw CompileError(fmt::format("{}: cannot be written", path));
}

void check_stop_after(const std::string& name) {
  if (name.empty()) return;
  std::string names;
  for (const Pass& pass : kPipeline) {
    if (pass.name == name) return;
    names += fmt::format(" {}", pass.name);
  }
  throw CompileError(fmt::format("--stop-after: no pass '{}'; there are:{}", name, names));
}

using PassFunction = void (*)(Graph& graph, PassContext& context);

// The passes behind `after` (null: from the start) and before `before` (null: to the end).
void run_between(PassFunction after, PassFunction before, Graph& graph, PassContext& context) {
  bool behind = after == nullptr;
  for (const Pass& pass : kPipeline) {
    if (before != nullptr && pass.run == before) return;
    if (behind) {
      pass.run(graph, context);
      check_graph(graph, std::string(pass.name));
    }
    behind = behind || pass.run == after;
  }
}

}  // namespace

std::span<const Pass> pipeline() { return kPipeline; }

void prepare_for_pruning(Graph& graph, PassContext& context) { run_between(nullptr, prune, graph, context); }

void quantize_pruned(Graph& graph, PassContext& context) {
  run_between(prune, quantize, graph, context);
  quantize(graph, context);
}

void finish_quantized(Graph& graph, PassContext& context) { run_between(quantize, nullptr, graph, context); }

void narrow_quantized(Graph& graph, PassContext& context) {
  run_between(quantize, share_channels, graph, context);
  mark_halves(graph, context);
}

void run_pipeline(Graph& graph, PassContext& context) {
  check_stop_after(context.options.stop_after);
  size_t number = 0;
  for (const Pass& pass : kPipeline) {
    pass.run(graph, context);
    check_graph(graph, std::string(pass.name));
    if (!context.options.dump_ir_directory.empty())
      dump(graph, context.options.dump_ir_directory, number, pass.name);
    ++number;
    if (pass.name == context.options.stop_after) return;
  }
}

}  // namespace bantam::compiler
