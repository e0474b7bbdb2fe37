// A pass rewrites the graph. The pipeline (pipeline.cc) is the only place that knows their order.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bantam/compiler/compiler.h"
#include "import/node_importer.h"
#include "ir/graph.h"

namespace bantam::compiler {

class Judge;

struct PassContext {
  const CompileOptions& options;
  const Evaluator& evaluate;
  const PlanRunnerFactory& runner;
  std::vector<std::string>& warnings;
  std::string calibration_summary;  // set by the quantize pass
  std::string prune_summary;        // set by the prune pass
  std::string onnx_path;
  std::string precision_summary = {};     // set by the quantize pass
  std::string sparsity_summary = {};      // set by the sparsify pass
  std::optional<Graph> unquantized = {};  // likewise, where the plan's speed is to be compared
  const Judge* judge = nullptr;           // of CompileOptions::max_drop; null: the graph as it is quantized
  bool halves = false;                    // likewise: the layers that stay float are float16
  std::vector<float> magnitudes = {};     // likewise: the largest on the samples, by value; 0: not known

  bool wants_halves() const { return halves || options.precision == Precision::kFp16; }
};

struct Pass {
  std::string_view name;
  void (*run)(Graph& graph, PassContext& context);
};

std::span<const Pass> pipeline();

// Runs the pipeline; the graph is checked after every pass. Honours dump_ir_directory and stop_after.
void run_pipeline(Graph& graph, PassContext& context);

// The passes before `prune`, and those behind it up to `quantize`.
void prepare_for_pruning(Graph& graph, PassContext& context);
void quantize_pruned(Graph& graph, PassContext& context);

// The passes behind `quantize`: what makes a quantized graph ready to be written.
void finish_quantized(Graph& graph, PassContext& context);

// Of these, those that change what is computed: for a network that is to be judged, not written.
void narrow_quantized(Graph& graph, PassContext& context);

// In the order of the pipeline; each is described in its file.
void take_images(Graph& graph, PassContext& context);
void recognize_patterns(Graph& graph, PassContext& context);
void channels_last(Graph& graph, PassContext& context);
void sink_transposes(Graph& graph, PassContext& context);
void move_softmax_axis(Graph& graph, PassContext& context);
void fold_constants(Graph& graph, PassContext& context);
void fold_affine(Graph& graph, PassContext& context);
void fuse_padding(Graph& graph, PassContext& context);
void drop_dead_channels(Graph& graph, PassContext& context);
void prune(Graph& graph, PassContext& context);
void fuse_clamps(Graph& graph, PassContext& context);
void simplify(Graph& graph, PassContext& context);
void sparsify(Graph& graph, PassContext& context);
void adopt_quantization(Graph& graph, PassContext& context);
void quantize(Graph& graph, PassContext& context);
void fold_stem(Graph& graph, PassContext& context);
void narrow_matrices(Graph& graph, PassContext& context);
void narrow_weights(Graph& graph, PassContext& context);
void share_channels(Graph& graph, PassContext& context);
void share_memory(Graph& graph, PassContext& context);
void mark_halves(Graph& graph, PassContext& context);

}  // namespace bantam::compiler
