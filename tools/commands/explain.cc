#include <CLI/CLI.hpp>
#include <memory>

#include "commands/command.h"
#include "commands/report_flags.h"
#include "io/failure.h"
#include "report/show/render.h"

namespace bantam::tools {
namespace {

struct ExplainFlags {
  std::string plan;
  std::string onnx;
  ComparisonFlags comparison;
  ReportFlags report;
};

int run_explain(const ExplainFlags& flags) {
  if (flags.onnx.empty() != flags.comparison.inputs.empty())
    throw UsageError("--onnx and --inputs go together: the error is measured with both");
  flags.report.check();
  const Model plan = open_plan(flags.plan);
  Report report = describe(plan, flags.plan);
  measure_times(flags.plan, kReportSeconds, report);
  if (!flags.onnx.empty()) compare(flags.comparison, flags.onnx, plan, flags.plan, report);
  flags.report.show(report, View::kExplain);
  return 0;
}

}  // namespace

void add_explain(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<ExplainFlags>();
  CLI::App* command = app.add_subcommand(
      "explain", "What each op of a plan is, how long it takes, what it adds to the error, and why");
  command->add_option("plan", flags->plan, "M.bantam")->required();
  command->add_option("--onnx", flags->onnx, "The model that the plan was made from, for the error");
  flags->comparison.add_to(*command);
  flags->report.add_to(*command);
  command->callback([flags, &chosen] { chosen = [flags] { return run_explain(*flags); }; });
}

}  // namespace bantam::tools
