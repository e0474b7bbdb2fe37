// Flags that `compile` and `prune` share.
#pragma once

#include <optional>
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

// Samples that are not for calibration, and their labels.
struct TestFlags {
  std::vector<std::string> inputs;
  std::string labels;

  void add_to(CLI::App& command);
  void check() const;  // UsageErrors
  // Empty without --inputs.
  std::optional<compiler::TestSet> test_set(const std::string& model, const ModelFlags& model_flags) const;
};

// What int8 may cost, and on which machine ops are timed.
struct PrecisionFlags {
  std::string max_drop;  // 0.5%
  std::string device;    // a profile, or "this"
  bool allow_slower = false;

  void add_to(CLI::App& command);
  void check(bool int8) const;  // UsageErrors
  void set(compiler::CompileOptions& options, bool searches) const;
  std::string text() const;  // the flags again, for the plan's provenance
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

// How single weights become zero.
struct SparsityFlags {
  std::string share;      // 0.5 or 50%; empty: not at all
  std::string criterion;  // magnitude, second-order; empty: by whether there are samples

  void add_to(CLI::App& command);
  void check(bool has_samples) const;  // UsageErrors
  compiler::SparsityOptions options() const;
  std::string text() const;  // the flags again, for the plan's provenance
};

}  // namespace bantam::tools
