#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <sstream>

#include "bantam/compiler/compiler.h"
#include "commands/budget_flags.h"
#include "commands/command.h"
#include "commands/compile_flags.h"
#include "commands/report_flags.h"
#include "doctor/doctor.h"
#include "engine/compile_model.h"
#include "engine/model_flags.h"
#include "engine/plan_runner.h"
#include "io/atomic_file.h"
#include "io/failure.h"
#include "io/progress.h"
#include "io/text.h"
#include "report/show/search.h"

namespace bantam::tools {
namespace {

constexpr const char* kAllPasses = "equalize,round,bias,ranges";

struct CompileFlags {
  std::string model;
  std::string output;
  std::string precision;
  std::string weights;
  bool dynamic = false;
  std::string ranges;
  std::string passes = kAllPasses;
  CalibrationFlags calibration;
  TestFlags test;
  PrecisionFlags choice;
  BudgetFlags budgets;
  PruneFlags prune;
  SparsityFlags sparsity;
  std::string dump_ir;
  std::string stop_after;
  bool no_doctor = false;
  std::string report;
  bool json = false;
  int threads = 0;
  ModelFlags model_flags;
};

constexpr std::pair<const char*, compiler::Precision> kPrecisions[] = {{"fp32", compiler::Precision::kFp32},
                                                                       {"fp16", compiler::Precision::kFp16},
                                                                       {"int8", compiler::Precision::kInt8}};
constexpr std::pair<const char*, compiler::RangeMethod> kRanges[] = {
    {"minmax", compiler::RangeMethod::kMinMax},
    {"percentile", compiler::RangeMethod::kPercentile},
    {"mse", compiler::RangeMethod::kSquaredError},
    {"auto", compiler::RangeMethod::kMeasured}};

constexpr std::pair<const char*, bool compiler::QuantizePasses::*> kPasses[] = {
    {"equalize", &compiler::QuantizePasses::equalize},
    {"round", &compiler::QuantizePasses::round},
    {"bias", &compiler::QuantizePasses::bias},
    {"ranges", &compiler::QuantizePasses::ranges}};

compiler::QuantizePasses parse_passes(const std::string& text) {
  compiler::QuantizePasses passes;
  for (const auto& [name, member] : kPasses) passes.*member = false;
  std::istringstream names(text == "none" ? "" : text);
  for (std::string name; std::getline(names, name, ',');) {
    const auto* found = std::find_if(std::begin(kPasses), std::end(kPasses),
                                     [&](const auto& pass) { return name == pass.first; });
    if (found == std::end(kPasses))
      throw UsageError("--quantize-passes " + text + ": no pass '" + name + "'; there are " + kAllPasses);
    passes.*found->second = true;
  }
  return passes;
}

template <typename Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.emplace_back(row.first);
  return names;
}

template <typename Table>
auto value_of(const Table& table, const std::string& name) {
  for (const auto& row : table) {
    if (name == row.first) return row.second;
  }
  throw UsageError("unknown choice " + name);
}

void check_flags(const CompileFlags& flags) {
  bool int8 = flags.precision == "int8";
  flags.prune.check();
  flags.sparsity.check(!flags.calibration.paths.empty());
  flags.test.check();
  bool searches = flags.budgets.given();
  flags.choice.check(int8 || searches);
  flags.budgets.check(flags.choice.max_drop, !flags.prune.ratio.empty());
  if (searches && (!flags.dump_ir.empty() || !flags.stop_after.empty()))
    throw UsageError("--dump-ir and --stop-after do not go with budgets, which compile many networks");
  if (searches && flags.calibration.paths.empty())
    throw UsageError("budgets need --calibrate with samples (a folder of images or an .npy file)");
  if (int8 && flags.calibration.paths.empty()) {
    throw UsageError("--precision int8 needs --calibrate with samples (a folder of images or an .npy file)");
  }
  if (flags.prune.needs_samples() && flags.calibration.paths.empty()) {
    throw UsageError("--prune needs --calibrate with samples (a folder of images or an .npy file)");
  }
  if (!int8 && !searches && flags.precision != "fp16" && flags.prune.ratio.empty() &&
      flags.sparsity.share.empty() && !flags.calibration.paths.empty()) {
    throw UsageError("--calibrate goes with --precision int8 or fp16, or with --prune or --sparsity");
  }
  parse_passes(flags.passes);
  if (!int8 && !searches && flags.passes != kAllPasses)
    throw UsageError("--quantize-passes goes with --precision int8 only");
  if (!int8 && !searches && !flags.ranges.empty())
    throw UsageError("--ranges goes with --precision int8 only");
  if (!flags.report.empty() && (flags.output.empty() || !flags.stop_after.empty()))
    throw UsageError("--report is about a whole plan: give -o M.bantam, and no --stop-after");
  if (flags.json && !searches)
    throw UsageError("--json is about a search: give --max-latency, --max-size, --max-memory or --minimize");
  if (flags.output.empty() && flags.stop_after.empty()) throw UsageError("--output is required: -o M.bantam");
}

compiler::CompileOptions compile_options(const CompileFlags& flags, Progress& progress) {
  compiler::CompileOptions options;
  if (!flags.precision.empty()) options.precision = value_of(kPrecisions, flags.precision);
  if (!flags.weights.empty()) options.weight_bits = flags.weights == "4" ? 4 : 8;
  options.quantize_rows = flags.dynamic;
  if (!flags.ranges.empty()) options.ranges = value_of(kRanges, flags.ranges);
  options.quantize_passes = parse_passes(flags.passes);
  options.shapes = flags.model_flags.shape_map();
  options.image = to_compiler(flags.model_flags.image_options());
  if (!flags.calibration.paths.empty())
    options.calibration = flags.calibration.samples(flags.model, flags.model_flags);
  options.test = flags.test.test_set(flags.model, flags.model_flags);
  if (!flags.prune.ratio.empty()) options.prune = flags.prune.options();
  if (!flags.sparsity.share.empty()) options.sparsity = flags.sparsity.options();

  flags.choice.set(options, flags.budgets.given());
  options.dump_ir_directory = flags.dump_ir;
  options.stop_after = flags.stop_after;
  std::string text =
      (flags.precision.empty() ? "" : " --precision " + flags.precision) +
      (flags.weights.empty() ? "" : " --weights " + flags.weights) + (flags.dynamic ? " --dynamic" : "") +
      (flags.ranges.empty() ? "" : " --ranges " + flags.ranges) +
      (flags.passes == kAllPasses ? "" : " --quantize-passes " + flags.passes) + flags.choice.text() +
      flags.prune.text() + flags.sparsity.text() + flags.model_flags.text();
  options.options_text = text.empty() ? text : text.substr(1);
  options.threads = flags.threads;
  options.progress = [&progress](std::string_view stage, double fraction) { progress.show(stage, fraction); };
  return options;
}

void examine_samples(const CompileFlags& flags, const compiler::CompileOptions& options) {
  if (flags.no_doctor || !options.calibration) return;
  DoctorOptions doctor;
  doctor.model = flags.model;
  doctor.shapes = options.shapes;
  doctor.image = options.image;
  doctor.calibration = *options.calibration;
  if (options.test) {
    doctor.test = options.test->samples;
    doctor.test_labels = options.test->labels;
  }
  doctor.threads = options.threads;
  for (const Finding& finding : examine(doctor).findings)
    std::fprintf(stderr, "bantam: calibration: %s\n", finding.text().c_str());
}

int run_compile(const CompileFlags& flags) {
  check_flags(flags);
  if (!flags.output.empty()) AtomicFile probe(flags.output);  // says at once when the place cannot be written
  if (!flags.report.empty()) AtomicFile probe(flags.report);
  if (!flags.dump_ir.empty()) make_directories(flags.dump_ir);
  Progress progress;
  compiler::CompileOptions options = compile_options(flags, progress);
  std::optional<SearchFile> search_file;
  flags.budgets.set(options, flags.model, flags.choice.device, search_file);
  examine_samples(flags, options);
  compiler::CompileResult result = compiler::compile(flags.model, options, plan_runner_factory());
  progress.clear();
  for (const std::string& warning : result.warnings)
    std::fprintf(stderr, "bantam: warning: %s\n", warning.c_str());
  bool writes = !result.plan.empty() && !flags.output.empty();
  if (writes) write_file(flags.output, result.plan);
  if (result.search)
    std::printf("%s", flags.json ? (search_json(*result.search) + "\n").c_str()
                                 : search_text(*result.search).c_str());
  if (result.search && !result.search->chosen)
    throw Failure(flags.model,
                  "the budgets contradict each other: no network meets them all, nothing is written");
  std::FILE* out = flags.json ? stderr : stdout;
  if (!result.summary.empty()) std::fprintf(out, "%s\n", result.summary.c_str());
  if (writes) std::fprintf(out, "%s: %s\n", flags.output.c_str(), human_bytes(result.plan.size()).c_str());
  if (!flags.report.empty())
    write_report(flags.report, flags.model, flags.output, options, flags.calibration.paths, result.search);
  return 0;
}

}  // namespace

void add_compile(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<CompileFlags>();
  CLI::App* command = app.add_subcommand("compile", "Compile an ONNX model into a plan");
  command->add_option("model", flags->model, "M.onnx")->required();
  command->add_option("-o,--output", flags->output, "M.bantam");
  command
      ->add_option(
          "--precision", flags->precision,
          "fp32, fp16 (half the size, computed in fp16 where the CPU can) or int8; left out, a quantized "
          "model is compiled as it says, others as fp32")
      ->check(CLI::IsMember(names_of(kPrecisions)));
  command
      ->add_option("--weights", flags->weights,
                   "Bits of the weights of fully connected layers that compute in float, for size: 8 or 4")
      ->check(CLI::IsMember({"8", "4"}));
  command->add_flag("--dynamic", flags->dynamic,
                    "Those layers multiply int8: each row of their data is rounded as it comes; weights of 8 "
                    "bits unless --weights 4");
  flags->calibration.add_to(*command, "int8, pruning, sparsity, and for fp16 to see which values fit");
  command
      ->add_option("--ranges", flags->ranges,
                   "How int8 ranges are chosen: minmax, percentile, mse, or auto (default): whichever of "
                   "these comes closest to fp32 on the samples")
      ->check(CLI::IsMember(names_of(kRanges)));
  flags->test.add_to(*command);
  flags->choice.add_to(*command);
  flags->budgets.add_to(*command);
  command->add_flag("--no-doctor", flags->no_doctor,
                    "Calibrate without examining the samples first (normalization, order of channels, "
                    "copies, number)");
  command->add_option(
      "--quantize-passes", flags->passes,
      "What int8 does to lose less, to see what each buys: none, or a list of equalize (channels that "
      "share a scale), round (weights by their layer's output error), bias (mean outputs), ranges "
      "(--ranges auto measures); default: all");
  flags->prune.add_to(*command);
  flags->sparsity.add_to(*command);
  flags->model_flags.add_to(*command);
  command->add_option("--report", flags->report,
                      "Write what the plan is, its speed and its error as a page for a browser, FILE.html");
  command->add_option("--dump-ir", flags->dump_ir, "Write the graph after every pass into this folder");
  command->add_option("--stop-after", flags->stop_after, "Stop after this pass");
  command->add_flag("--json", flags->json, "Print what a search within budgets saw as one JSON object");
  command->add_option("--threads", flags->threads, "0 (default): all cores")->check(CLI::NonNegativeNumber);
  command->callback([flags, &chosen] { chosen = [flags] { return run_compile(*flags); }; });
}

}  // namespace bantam::tools
