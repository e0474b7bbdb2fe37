#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "bantam/compiler/compiler.h"
#include "commands/command.h"
#include "engine/compile_model.h"
#include "engine/input_set.h"
#include "engine/model_flags.h"
#include "engine/plan_runner.h"
#include "io/atomic_file.h"
#include "io/failure.h"
#include "io/progress.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

struct CompileFlags {
  std::string model;
  std::string output;
  std::string precision;
  std::string ranges;
  std::vector<std::string> calibrate;
  std::string dump_ir;
  std::string stop_after;
  int limit = 0;
  int threads = 0;
  ModelFlags model_flags;
};

constexpr std::pair<const char*, compiler::Precision> kPrecisions[] = {{"fp32", compiler::Precision::kFp32},
                                                                       {"fp16", compiler::Precision::kFp16},
                                                                       {"int8", compiler::Precision::kInt8}};
constexpr std::pair<const char*, compiler::RangeMethod> kRanges[] = {
    {"minmax", compiler::RangeMethod::kMinMax},
    {"percentile", compiler::RangeMethod::kPercentile},
    {"mse", compiler::RangeMethod::kSquaredError}};

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

// One path per input of the model, in its order. Only names need the model, so it is compiled for them alone.
std::vector<std::string> calibration_paths(const CompileFlags& flags) {
  bool named = flags.calibrate.size() > 1;
  for (const std::string& text : flags.calibrate) named = named || text.find('=') != std::string::npos;
  if (!named) return flags.calibrate;
  LoadedModel loaded =
      compile_in_memory(flags.model, flags.model_flags.shape_map(), flags.model_flags.image_options());
  return assign_inputs(flags.calibrate, input_names(loaded.model), "--calibrate");
}

compiler::SampleSource sample_source(const CompileFlags& flags) {
  auto inputs = std::make_shared<InputSet>(calibration_paths(flags), flags.model_flags.image_options());
  compiler::SampleSource source;
  source.count = static_cast<int>(std::min<int64_t>(limited(inputs->count(), flags.limit), INT32_MAX));
  source.description = inputs->first().description();
  if (source.count < inputs->count())
    source.description += format(" (of %lld)", static_cast<long long>(inputs->count()));
  source.load = [inputs](int index) {
    std::vector<compiler::TensorData> tensors;
    for (Tensor& tensor : inputs->load(index)) tensors.push_back(to_compiler(std::move(tensor)));
    return tensors;
  };
  return source;
}

void check_flags(const CompileFlags& flags) {
  bool int8 = flags.precision == "int8";
  if (int8 && flags.calibrate.empty()) {
    throw UsageError("--precision int8 needs --calibrate with samples (a folder of images or an .npy file)");
  }
  if (!int8 && flags.precision != "fp16" && !flags.calibrate.empty())
    throw UsageError("--calibrate goes with --precision int8 or fp16");
  if (!int8 && !flags.ranges.empty()) throw UsageError("--ranges goes with --precision int8 only");
  if (flags.output.empty() && flags.stop_after.empty()) throw UsageError("--output is required: -o M.bantam");
}

compiler::CompileOptions compile_options(const CompileFlags& flags, Progress& progress) {
  compiler::CompileOptions options;
  if (!flags.precision.empty()) options.precision = value_of(kPrecisions, flags.precision);
  if (!flags.ranges.empty()) options.ranges = value_of(kRanges, flags.ranges);
  options.shapes = flags.model_flags.shape_map();
  options.image = to_compiler(flags.model_flags.image_options());
  if (!flags.calibrate.empty()) options.calibration = sample_source(flags);
  options.dump_ir_directory = flags.dump_ir;
  options.stop_after = flags.stop_after;
  std::string text = (flags.precision.empty() ? "" : " --precision " + flags.precision) +
                     (flags.ranges.empty() ? "" : " --ranges " + flags.ranges) + flags.model_flags.text();
  options.options_text = text.empty() ? text : text.substr(1);
  options.threads = flags.threads;
  options.progress = [&progress](std::string_view stage, double fraction) { progress.show(stage, fraction); };
  return options;
}

int run_compile(const CompileFlags& flags) {
  check_flags(flags);
  if (!flags.output.empty()) AtomicFile probe(flags.output);  // says at once when the place cannot be written
  if (!flags.dump_ir.empty()) make_directories(flags.dump_ir);
  Progress progress;
  compiler::CompileOptions options = compile_options(flags, progress);
  compiler::CompileResult result = compiler::compile(flags.model, options, plan_runner_factory());
  progress.clear();
  for (const std::string& warning : result.warnings)
    std::fprintf(stderr, "bantam: warning: %s\n", warning.c_str());
  bool writes = !result.plan.empty() && !flags.output.empty();
  if (writes) write_file(flags.output, result.plan);
  if (!result.summary.empty()) std::printf("%s\n", result.summary.c_str());
  if (writes) std::printf("%s: %s\n", flags.output.c_str(), human_bytes(result.plan.size()).c_str());
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
      ->add_option("--calibrate", flags->calibrate,
                   "Samples for int8, and for fp16 to see which values fit: a folder of images or an .npy "
                   "with samples "
                   "along axis 0; [NAME=]PATH for each input of a model with several")
      ->allow_extra_args(false);
  command->add_option("--calibrate-limit", flags->limit, "Use only the first N samples")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--ranges", flags->ranges, "How int8 ranges are chosen: minmax, percentile, mse (default)")
      ->check(CLI::IsMember(names_of(kRanges)));
  flags->model_flags.add_to(*command);
  command->add_option("--dump-ir", flags->dump_ir, "Write the graph after every pass into this folder");
  command->add_option("--stop-after", flags->stop_after, "Stop after this pass");
  command->add_option("--threads", flags->threads, "0 (default): all cores")->check(CLI::NonNegativeNumber);
  command->callback([flags, &chosen] { chosen = [flags] { return run_compile(*flags); }; });
}

}  // namespace bantam::tools
