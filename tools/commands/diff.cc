#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "commands/command.h"
#include "commands/report_flags.h"
#include "io/failure.h"
#include "report/show/render.h"

namespace bantam::tools {
namespace {

struct DiffFlags {
  std::string onnx;
  std::string plan;
  ComparisonFlags comparison;
  ReportFlags report;
};

int run_diff(const DiffFlags& flags) {
  flags.report.check();
  const Model plan = open_plan(flags.plan);
  Report report = describe(plan, flags.plan);
  compare(flags.comparison, flags.onnx, plan, flags.plan, report);
  if (!flags.report.html.empty()) measure_times(flags.plan, kReportSeconds, report);
  flags.report.show(report, View::kDiff);
  return 0;
}

}  // namespace

void add_diff(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<DiffFlags>();
  CLI::App* command = app.add_subcommand(
      "diff", "Compare a plan with its ONNX model in float32: the error by op and by cause");
  command->add_option("onnx", flags->onnx, "M.onnx")->required();
  command->add_option("plan", flags->plan, "M.bantam")->required();
  flags->comparison.add_to(*command)->required();
  flags->report.add_to(*command);
  command->callback([flags, &chosen] { chosen = [flags] { return run_diff(*flags); }; });
}

}  // namespace bantam::tools
