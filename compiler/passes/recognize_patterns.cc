// Functions that exporters write as several nodes become one op again: SiLU, HardSwish, HardSigmoid, GELU,
// Mish, LayerNorm, dynamically quantized layers.
#include "passes/pass.h"
#include "passes/patterns/patterns.h"
#include "passes/rewriter.h"

namespace bantam::compiler {

void recognize_patterns(Graph& graph, PassContext& context) {
  if (context.options.precision != Precision::kFp32) match_dynamic_quantization(graph);
  for (const auto rewrite : {match_hard_sigmoid, match_gated_activations, match_gelu, match_layer_norm}) {
    rewrite(graph);
    drop_dead_nodes(graph);
  }
  simplify(graph, context);
}

}  // namespace bantam::compiler
