// Flags that `compile` and `prune` share.
#pragma once

#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"
#include "engine/model_flags.h"

namespace bantam::tools {

// The calibration samples of a model.
struct CalibrationFlags {
  std::vector<std::string> paths;
  int limit = 0;

  void add_to(CLI::App& command, const std::string& purpose);
  compiler::SampleSource samples(const std::string& model, const ModelFlags& model_flags) const;
};

// How channels are pruned.
struct PruneFlags {
  std::string ratio;  // 30%macs; empty: not at all
  std::string criterion;
  bool per_layer = false;
  bool no_reconstruct = false;
  int tile = 0;

  void add_to(CLI::App& command);
  void check() const;  // UsageErrors
  bool needs_samples() const;
  compiler::PruneOptions options() const;
  std::string text() const;  // the flags again, for the plan's provenance
};

}  // namespace bantam::tools
