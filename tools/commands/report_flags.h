// Flags that `diff`, `explain` and `compile` share: what to compare with, and where the findings go.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "report/describe.h"
#include "report/report.h"
#include "report/show/render.h"
#include "report/subject.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace bantam::tools {

inline constexpr double kReportSeconds = 1.0;  // for which ops are timed

// The samples on which a plan is compared with its model.
struct ComparisonFlags {
  std::vector<std::string> inputs;
  std::vector<std::string> shapes;
  std::string pruned;
  int64_t limit = 0;

  CLI::Option* add_to(CLI::App& command);  // returns --inputs
};

// Compares the plan with the model and fills in all that the report says about errors.
void compare(const ComparisonFlags& flags, const std::string& onnx, const Model& plan,
             const std::string& plan_path, Report& report);
void compare(const Subject& subject, Report& report);

// The page that `compile --report` writes: about the plan at `plan_path`, compared with the model on the
// first of the calibration samples, when there are any. `search`: that found the plan.
void write_report(const std::string& html, const std::string& onnx, const std::string& plan_path,
                  const compiler::CompileOptions& options, const std::vector<std::string>& calibration,
                  const std::optional<compiler::SearchReport>& search);

struct ReportFlags {
  std::string html;
  bool json = false;

  void add_to(CLI::App& command);
  void check() const;  // a Failure when the page cannot be written
  // Text or JSON on standard output, and the page.
  void show(const Report& report, View view) const;
};

}  // namespace bantam::tools
