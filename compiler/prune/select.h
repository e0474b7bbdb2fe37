// Which channels go: as many as the ratio asks for, those first that cost the least for what they save.
#pragma once

#include <vector>

#include "bantam/compiler/compiler.h"
#include "prune/rank/ranking.h"

namespace bantam::compiler {

struct Selection {
  std::vector<bool> removed;      // by unit
  std::vector<size_t> per_group;  // units removed
  double share = 0;               // of what the ratio counts, removed
};

// Throws CompileError when no channels are left to take before the ratio is reached.
Selection select_units(const Graph& graph, const Structure& structure, const std::vector<Ranking>& rankings,
                       const PruneOptions& options);

// Of the whole graph.
double count_macs(const Graph& graph);
double count_params(const Graph& graph);

}  // namespace bantam::compiler
