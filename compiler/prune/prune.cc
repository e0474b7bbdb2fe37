// Structured pruning: channels are removed, and what reads them is solved again on calibration data.
#include "passes/pass.h"
#include "prune/pruner.h"

namespace bantam::compiler {

void prune(Graph& graph, PassContext& context) {
  if (!context.options.prune) return;
  check_prune_options(context.options);
  const PruneOptions& options = *context.options.prune;
  graph = Pruner(std::move(graph), context).prune(options.ratio, options.reconstruct, context);
}

}  // namespace bantam::compiler
