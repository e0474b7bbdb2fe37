// What `compile` may be asked to stay within.
#pragma once

#include <optional>
#include <string>

#include "budget/search_file.h"
#include "commands/compile_flags.h"

namespace bantam::tools {

struct BudgetFlags {
  std::string latency;  // 100ms
  std::string size;     // 4MB
  std::string memory;   // 32MB
  std::string goal;
  std::string resume;  // a file
  bool allow_smaller_input = false;

  void add_to(CLI::App& command);
  bool given() const { return !latency.empty() || !size.empty() || !memory.empty() || !goal.empty(); }
  // UsageErrors. `drop`: as --max-drop gives it, or ""; `pruned`: --prune is given.
  void check(const std::string& drop, bool pruned) const;
  // Puts the budgets into `options`, --max-drop among them, and what an earlier search has measured; `file`
  // keeps what this one does. `device`: as --device-profile gives it.
  void set(compiler::CompileOptions& options, const std::string& model, const std::string& device,
           std::optional<SearchFile>& file) const;
  std::string text() const;  // the flags again, for the plan's provenance
};

}  // namespace bantam::tools
