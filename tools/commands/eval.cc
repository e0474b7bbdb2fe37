#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "commands/command.h"
#include "data/labels.h"
#include "engine/evaluate.h"
#include "engine/input_set.h"
#include "engine/model_flags.h"
#include "io/failure.h"
#include "io/json_writer.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

struct EvalFlags {
  std::string model;
  std::vector<std::string> inputs;
  std::string labels;
  std::string against;
  int64_t limit = 0;
  int threads = 0;
  bool json = false;
  ModelFlags model_flags;
};

using Classes = std::vector<std::vector<int>>;  // best first, per sample

struct Scores {
  int64_t samples = 0;
  int64_t top1 = 0;
  int64_t top5 = 0;
  int64_t agreeing = 0;
};

Classes classes_of(const Model& model, const std::string& path, const EvalFlags& flags, int64_t count) {
  std::vector<std::string> paths = assign_inputs(flags.inputs, input_names(model), "--inputs");
  InputSet inputs(paths, image_options_of(model));
  return classify(model, inputs, count, flags.threads, path);
}

void check_labels(const std::vector<int64_t>& labels, int64_t classes, const Samples& samples,
                  const std::string& path) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < classes) continue;
    throw Failure(
        path,
        format("label %lld of ", static_cast<long long>(labels[i])) + samples.name(static_cast<int64_t>(i)) +
            format(" is not one of the model's classes, 0 to %lld", static_cast<long long>(classes - 1)));
  }
}

void count_hits(const Classes& best, const std::vector<int64_t>& labels, Scores& scores) {
  for (size_t i = 0; i < labels.size(); ++i) {
    scores.top1 += best[i][0] == labels[i];
    scores.top5 += std::find(best[i].begin(), best[i].end(), labels[i]) != best[i].end();
  }
}

void print_json(const EvalFlags& flags, const Scores& scores) {
  JsonWriter json;
  double total = static_cast<double>(scores.samples);
  json.begin_object().field("samples", scores.samples);
  if (!flags.labels.empty()) {
    json.field("top1", static_cast<double>(scores.top1) / total);
    json.field("top5", static_cast<double>(scores.top5) / total);
  }
  if (!flags.against.empty()) json.field("agreement", static_cast<double>(scores.agreeing) / total);
  json.end_object();
  std::printf("%s\n", json.text().c_str());
}

void print_text(const EvalFlags& flags, const Scores& scores) {
  double percent = 100.0 / static_cast<double>(scores.samples);
  std::printf("samples    %lld\n", static_cast<long long>(scores.samples));
  if (!flags.labels.empty()) {
    std::printf("top-1      %.2f %%\n", static_cast<double>(scores.top1) * percent);
    std::printf("top-5      %.2f %%\n", static_cast<double>(scores.top5) * percent);
  }
  if (flags.against.empty()) return;
  std::printf("agreement  %.2f %% (same top-1 as %s)\n", static_cast<double>(scores.agreeing) * percent,
              flags.against.c_str());
}

int run_eval(const EvalFlags& flags) {
  if (flags.labels.empty() && flags.against.empty())
    throw UsageError("eval needs --labels, --against or both");
  Scores scores;
  Classes best;
  {
    // A plan brings its own image options, which a smaller input may have changed: those given are the
    // other's.
    bool for_other = is_plan(flags.model) && !flags.against.empty() && !is_plan(flags.against);
    LoadedModel loaded = open_model(flags.model, for_other ? ModelFlags() : flags.model_flags);
    const Model& model = loaded.model;
    int64_t classes = class_count(model, flags.model);
    InputSet inputs(assign_inputs(flags.inputs, input_names(model), "--inputs"), image_options_of(model));
    scores.samples = limited(inputs.count(), flags.limit);
    std::vector<int64_t> labels;
    if (!flags.labels.empty()) labels = read_labels(flags.labels, inputs.first(), scores.samples);
    check_labels(labels, classes, inputs.first(), flags.labels);
    best = classify(model, inputs, scores.samples, flags.threads, flags.model);
    count_hits(best, labels, scores);
  }
  if (!flags.against.empty()) {
    ModelFlags other_flags = is_plan(flags.against) ? ModelFlags() : flags.model_flags;
    LoadedModel other = open_model(flags.against, other_flags);
    Classes others = classes_of(other.model, flags.against, flags, scores.samples);
    for (size_t i = 0; i < best.size(); ++i) scores.agreeing += best[i][0] == others[i][0];
  }
  flags.json ? print_json(flags, scores) : print_text(flags, scores);
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<EvalFlags>();
  CLI::App* command = app.add_subcommand("eval", "Measure a classifier's accuracy on labelled samples");
  command->add_option("model", flags->model, "M.onnx or M.bantam")->required();
  command
      ->add_option(
          "--inputs", flags->inputs,
          "A folder of images or an .npy with samples along axis 0; [NAME=]PATH for each input of a model "
          "with several")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--labels", flags->labels, "An .npy of integers, or a CSV with rows file,label");
  command->add_option(
      "--against", flags->against,
      "Another model or plan: how often both give the same top-1; shapes and image options are "
      "those of whichever is no plan");
  command->add_option("--limit", flags->limit, "Only the first N samples")->check(CLI::PositiveNumber);
  flags->model_flags.add_to(*command);
  command->add_option("--threads", flags->threads, "Samples at a time; 0 (default): one per core")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", flags->json,
                    "Print {\"samples\",\"top1\",\"top5\",\"agreement\"}; shares are 0 to 1");
  command->callback([flags, &chosen] { chosen = [flags] { return run_eval(*flags); }; });
}

}  // namespace bantam::tools
