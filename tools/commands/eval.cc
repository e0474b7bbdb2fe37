#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "commands/command.h"
#include "data/labels.h"
#include "engine/evaluate.h"
#include "engine/input_set.h"
#include "engine/model_flags.h"
#include "io/failure.h"
#include "io/json_writer.h"
#include "io/text.h"
#include "report/report.h"
#include "report/show/render.h"

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

// Of a sample.
struct Outcome {
  std::vector<int> best;            // classes, best first
  bool agrees = false;              // the other model's best is the same
  std::vector<Distance> distances;  // from the other model, by output
};

struct Scores {
  int64_t samples = 0;
  std::optional<std::pair<double, double>> top;  // 1 and 5; shares, where there are labels
  std::optional<double> agreement;
  std::vector<std::pair<std::string, Distance>> outputs;  // from the other model, by name
};

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

void check_outputs(const Model& model, const Model& other, const EvalFlags& flags) {
  auto text = [](const Model& of) {
    std::string all;
    for (int i = 0; i < of.info().output_count; ++i)
      all += (i > 0 ? ", " : "") + shape_text(shape_of(of.output(i)));
    return all;
  };
  if (text(model) == text(other)) return;
  throw Failure(flags.against, "its outputs are " + text(other) + ", not " + text(model) + " as those of " +
                                   flags.model + "; only the same outputs can be compared");
}

Outcome outcome_of(const std::vector<OutputValues>& outputs, bool classes) {
  Outcome outcome;
  if (classes) outcome.best = top_classes(outputs[0][0], kBestClasses);
  if (outputs.size() < 2) return outcome;
  if (classes) outcome.agrees = top_classes(outputs[1][0], 1)[0] == outcome.best[0];
  outcome.distances.resize(outputs[0].size());
  for (size_t i = 0; i < outputs[0].size(); ++i) outcome.distances[i].add(outputs[1][i], outputs[0][i]);
  return outcome;
}

std::pair<double, double> hits(const std::vector<Outcome>& outcomes, const std::vector<int64_t>& labels) {
  double first = 0, five = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::vector<int>& best = outcomes[i].best;
    first += best[0] == labels[i];
    five += std::find(best.begin(), best.end(), labels[i]) != best.end();
  }
  const double total = static_cast<double>(labels.size());
  return {first / total, five / total};
}

void print_json(const Scores& scores) {
  JsonWriter json;
  json.begin_object().field("samples", scores.samples);
  if (scores.top) json.field("top1", scores.top->first).field("top5", scores.top->second);
  if (scores.agreement) json.field("agreement", *scores.agreement);
  if (!scores.outputs.empty()) {
    json.key("outputs").begin_array();
    for (const auto& [name, distance] : scores.outputs) {
      json.begin_object().field("name", name).field("sqnr_db", distance.sqnr());
      json.field("max_error", distance.max_error).end_object();
    }
    json.end_array();
  }
  json.end_object();
  std::printf("%s\n", json.text().c_str());
}

void print_text(const Scores& scores, const EvalFlags& flags) {
  std::printf("samples    %lld\n", static_cast<long long>(scores.samples));
  if (scores.top) {
    std::printf("top-1      %.2f %%\n", scores.top->first * 100);
    std::printf("top-5      %.2f %%\n", scores.top->second * 100);
  }
  if (scores.agreement)
    std::printf("agreement  %.2f %% (same top-1 as %s)\n", *scores.agreement * 100, flags.against.c_str());
  for (const auto& [name, distance] : scores.outputs)
    std::printf("SQNR       %s (%s against that of %s)\n", sqnr_text(distance.ratio()).c_str(), name.c_str(),
                flags.against.c_str());
}

// What is evaluated, and what it is compared with.
struct Side {
  Side(const std::string& path, const ModelFlags& flags, const std::vector<std::string>& given)
      : path(path),
        loaded(open_model(path, flags)),
        inputs(assign_inputs(given, input_names(loaded.model), "--inputs"), image_options_of(loaded.model)) {}
  Evaluated evaluated() const { return {loaded.model, inputs, path}; }

  const std::string path;
  const LoadedModel loaded;
  const InputSet inputs;
};

// A plan brings its own image options, which a smaller input may have changed: those given are the other's
// where that is no plan.
std::optional<Side> open_other(const EvalFlags& flags) {
  if (flags.against.empty()) return std::nullopt;
  return std::optional<Side>(std::in_place, flags.against,
                             is_plan(flags.against) ? ModelFlags() : flags.model_flags, flags.inputs);
}

Scores evaluate(const EvalFlags& flags) {
  const bool for_other = is_plan(flags.model) && !flags.against.empty() && !is_plan(flags.against);
  const Side side(flags.model, for_other ? ModelFlags() : flags.model_flags, flags.inputs);
  const Model& model = side.loaded.model;
  Scores scores;
  scores.samples = limited(side.inputs.count(), flags.limit);
  std::vector<int64_t> labels;
  if (!flags.labels.empty()) {
    const int64_t classes = class_count(model, flags.model);
    labels = read_labels(flags.labels, side.inputs.first(), scores.samples);
    check_labels(labels, classes, side.inputs.first(), flags.labels);
  }
  const std::optional<Side> other = open_other(flags);
  std::vector<Evaluated> models = {side.evaluated()};
  if (other) {
    check_outputs(model, other->loaded.model, flags);
    models.push_back(other->evaluated());
  }
  const bool classes = scores_classes(model);
  std::vector<Outcome> outcomes(static_cast<size_t>(scores.samples));
  run_samples(models, scores.samples, flags.threads, [&](int64_t index, const auto& outputs) {
    outcomes[static_cast<size_t>(index)] = outcome_of(outputs, classes);
  });
  if (!labels.empty()) scores.top = hits(outcomes, labels);
  if (!other) return scores;
  if (classes)
    scores.agreement = static_cast<double>(std::count_if(outcomes.begin(), outcomes.end(),
                                                         [](const Outcome& it) { return it.agrees; })) /
                       static_cast<double>(scores.samples);
  for (int i = 0; i < model.info().output_count; ++i) {
    auto& [name, distance] = scores.outputs.emplace_back(model.output(i).name, Distance());
    for (const Outcome& outcome : outcomes) distance.add(outcome.distances[static_cast<size_t>(i)]);
  }
  return scores;
}

int run_eval(const EvalFlags& flags) {
  if (flags.labels.empty() && flags.against.empty())
    throw UsageError("eval needs --labels, --against or both");
  const Scores scores = evaluate(flags);
  flags.json ? print_json(scores) : print_text(scores, flags);
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<EvalFlags>();
  CLI::App* command = app.add_subcommand(
      "eval", "Measure accuracy on labelled samples, and how close another model's outputs are");
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
      "Another model or plan: how often both give the same top-1, and the signal to noise ratio of the "
      "outputs; shapes and image options are those of whichever is no plan");
  command->add_option("--limit", flags->limit, "Only the first N samples")->check(CLI::PositiveNumber);
  flags->model_flags.add_to(*command);
  command->add_option("--threads", flags->threads, "Samples at a time; 0 (default): one per core")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", flags->json,
                    "Print {\"samples\",\"top1\",\"top5\",\"agreement\",\"outputs\"}; shares are 0 to 1");
  command->callback([flags, &chosen] { chosen = [flags] { return run_eval(*flags); }; });
}

}  // namespace bantam::tools
