// Takes shares of the channels out of one graph: what does not depend on the share is found out once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "passes/pass.h"
#include "prune/channels/structure.h"
#include "prune/data/samples.h"
#include "prune/rank/ranking.h"

namespace bantam::compiler {

// Throws CompileError for a ratio out of range and for calibration data that is needed and missing.
void check_prune_options(const CompileOptions& options);

class Pruner {
 public:
  // `context`, which must live as long, has PruneOptions; their ratio and `reconstruct` do not count here.
  Pruner(Graph graph, const PassContext& context);

  // The graph without the share `ratio` of its channels, macs or params; with what reads them solved again if
  // `reconstruct`. Sets the context's prune_summary and warnings. Throws CompileError when so much cannot go.
  Graph prune(double ratio, bool reconstruct, PassContext& context) const;

 private:
  Graph graph_;
  Structure structure_;
  std::optional<CalibrationSamples> samples_;
  std::vector<Ranking> rankings_;
};

}  // namespace bantam::compiler
