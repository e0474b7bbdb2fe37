#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>

#include "commands/command.h"
#include "data/labels.h"
#include "data/npy.h"
#include "engine/evaluate.h"
#include "engine/input_set.h"
#include "engine/run_inputs.h"
#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

struct RunFlags {
  std::string plan;
  std::vector<std::string> inputs;
  std::string output;
  int top = 0;
  std::string labels;
  int threads = 1;
  std::string cache;
};

// One file per output, filled sample by sample and put in place when all samples are done.
class OutputFiles {
 public:
  OutputFiles(const std::string& folder, const Model& model, const RunInputs& inputs) {
    make_directories(folder);
    std::set<std::string> names;
    for (int i = 0; i < model.info().output_count; ++i) {
      bantam_tensor output = model.output(i);
      std::string name = as_file_name(output.name);
      while (!names.insert(name).second) name += "_";
      std::vector<int64_t> shape = inputs.stacked(shape_of(output));
      files_.push_back(std::make_unique<NpyWriter>(folder + "/" + name + ".npy", dtype_of(output), shape));
    }
  }
  void append(const Session& session) {
    for (size_t i = 0; i < files_.size(); ++i) {
      bantam_tensor output = session.output(static_cast<int>(i));
      files_[i]->append({static_cast<const std::byte*>(output.data), output.bytes});
    }
  }
  void commit() {
    for (auto& file : files_) file->commit();
  }

 private:
  std::vector<std::unique_ptr<NpyWriter>> files_;
};

void print_top(const Session& session, int k, const std::vector<std::string>& names,
               const std::string& sample) {
  std::vector<float> scores;
  read_real(session.output(0), scores);
  std::printf("%s\n", sample.c_str());
  for (int index : top_classes(scores, k)) {
    bool named = static_cast<size_t>(index) < names.size();
    std::printf("  %5d  %-11.5g %s\n", index, static_cast<double>(scores[static_cast<size_t>(index)]),
                named ? names[static_cast<size_t>(index)].c_str() : "");
  }
}

void print_summary(const Model& model, const Session& session, const std::string& sample) {
  std::printf("%s\n", sample.c_str());
  for (int i = 0; i < model.info().output_count; ++i) {
    bantam_tensor output = session.output(i);
    std::vector<float> values;
    read_real(output, values);
    std::printf("  %s %s", output.name, type_text(output).c_str());
    if (!values.empty()) {
      auto [low, high] = std::minmax_element(values.begin(), values.end());
      std::printf("  min %.6g  max %.6g :", static_cast<double>(*low), static_cast<double>(*high));
    }
    for (size_t k = 0; k < std::min<size_t>(values.size(), 8); ++k)
      std::printf(" %.6g", static_cast<double>(values[k]));
    std::printf(values.size() > 8 ? " ...\n" : "\n");
  }
}

int run_run(const RunFlags& flags) {
  if (!flags.labels.empty() && flags.top == 0) throw UsageError("--labels goes with --top");
  Model model = open_plan(flags.plan, flags.cache);
  RunInputs inputs(model, assign_inputs(flags.inputs, input_names(model), "--input"));
  std::vector<std::string> names;
  if (!flags.labels.empty()) names = read_class_names(flags.labels);
  if (flags.top > 0) {
    int64_t classes = class_count(model, flags.plan);
    if (!names.empty() && static_cast<int64_t>(names.size()) < classes) {
      throw Failure(flags.labels, format("names %zu classes; the model has %lld", names.size(),
                                         static_cast<long long>(classes)));
    }
  }
  Session session = open_session(model, flags.threads, flags.plan);
  std::optional<OutputFiles> files;
  if (!flags.output.empty()) files.emplace(flags.output, model, inputs);
  for (int64_t i = 0; i < inputs.count(); ++i) {
    inputs.write(session, i);
    require(session.run(), flags.plan);
    if (files) files->append(session);
    if (flags.top > 0) print_top(session, flags.top, names, inputs.name(i));
    if (!files && flags.top == 0) print_summary(model, session, inputs.name(i));
  }
  if (files) files->commit();
  return 0;
}

}  // namespace

void add_run(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* command = app.add_subcommand("run", "Run a plan on images or arrays");
  command->add_option("plan", flags->plan, "M.bantam")->required();
  command
      ->add_option(
          "--input", flags->inputs,
          "[NAME=]X.npy or [NAME=]IMAGE, for each input; an .npy with one more axis in front holds several "
          "samples")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--output", flags->output, "Write each output as DIR/NAME.npy");
  command->add_option("--top", flags->top, "Print the K best classes of each sample")
      ->check(CLI::PositiveNumber);
  command->add_option("--labels", flags->labels, "With --top: a text file with a class name per line");
  command->add_option("--threads", flags->threads, "Threads of one run (default 1)")
      ->check(CLI::Range(1, 1024));
  command->add_option("--cache", flags->cache, kCacheHelp);
  command->callback([flags, &chosen] { chosen = [flags] { return run_run(*flags); }; });
}

}  // namespace bantam::tools
