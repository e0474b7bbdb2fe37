#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "bantam/compiler/compiler.h"
#include "commands/command.h"
#include "commands/compile_flags.h"
#include "engine/compile_model.h"
#include "engine/plan_runner.h"
#include "io/atomic_file.h"
#include "io/failure.h"
#include "io/progress.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

struct PruneCommandFlags {
  std::string model;
  std::string output;
  int threads = 0;
  CalibrationFlags calibration;
  PruneFlags prune;
  ModelFlags model_flags;
};

int run_prune(const PruneCommandFlags& flags) {
  flags.prune.check();
  if (flags.prune.needs_samples() && flags.calibration.paths.empty())
    throw UsageError("--prune needs --calibrate with samples (a folder of images or an .npy file)");
  AtomicFile probe(flags.output);  // says at once when the place cannot be written
  Progress progress;
  compiler::CompileOptions options;
  options.shapes = flags.model_flags.shape_map();
  options.image = to_compiler(flags.model_flags.image_options());
  if (!flags.calibration.paths.empty())
    options.calibration = flags.calibration.samples(flags.model, flags.model_flags);
  if (!flags.prune.ratio.empty()) options.prune = flags.prune.options();
  options.threads = flags.threads;
  options.progress = [&progress](std::string_view stage, double fraction) { progress.show(stage, fraction); };
  const compiler::PrunedModel result = compiler::prune_onnx(flags.model, options, plan_runner_factory());
  progress.clear();
  for (const std::string& warning : result.warnings)
    std::fprintf(stderr, "bantam: warning: %s\n", warning.c_str());
  write_file(flags.output, std::as_bytes(std::span(result.onnx)));
  std::printf("%s\n",
              result.summary.empty() ? "nothing to prune: no channel is zero" : result.summary.c_str());
  std::printf("%s: %s\n", flags.output.c_str(), human_bytes(result.onnx.size()).c_str());
  return 0;
}

}  // namespace

void add_prune(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<PruneCommandFlags>();
  CLI::App* command = app.add_subcommand(
      "prune",
      "Remove channels from an ONNX model and write it as ONNX again; without --prune those that are zero");
  command->add_option("model", flags->model, "M.onnx")->required();
  command->add_option("-o,--output", flags->output, "The pruned model, an ONNX file")->required();
  flags->prune.add_to(*command);
  flags->calibration.add_to(*command, "pruning");
  flags->model_flags.add_to(*command);
  command->add_option("--threads", flags->threads, "0 (default): all cores")->check(CLI::NonNegativeNumber);
  command->callback([flags, &chosen] { chosen = [flags] { return run_prune(*flags); }; });
}

}  // namespace bantam::tools
