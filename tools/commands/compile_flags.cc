#include "commands/compile_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "data/labels.h"
#include "engine/compile_model.h"
#include "engine/input_set.h"
#include "engine/plan_runner.h"
#include "io/failure.h"
#include "io/text.h"
#include "timing/op_timer.h"

namespace bantam::tools {
namespace {

using compiler::PruneCriterion;
using compiler::PruneUnit;

constexpr std::pair<const char*, PruneUnit> kUnits[] = {
    {"macs", PruneUnit::kMacs}, {"params", PruneUnit::kParams}, {"channels", PruneUnit::kChannels}};
constexpr std::pair<const char*, PruneCriterion> kCriteria[] = {{"error", PruneCriterion::kError},
                                                                {"l1", PruneCriterion::kL1},
                                                                {"l2", PruneCriterion::kL2},
                                                                {"bn", PruneCriterion::kBatchNorm},
                                                                {"activation", PruneCriterion::kActivation}};

// One path per input of the model, in its order. Only names need the model, so it is compiled for them alone.
std::vector<std::string> paths_by_input(const std::vector<std::string>& paths, const std::string& flag,
                                        const std::string& model, const ModelFlags& model_flags) {
  bool named = paths.size() > 1;
  for (const std::string& text : paths) named = named || text.find('=') != std::string::npos;
  if (!named) return paths;
  LoadedModel loaded = compile_in_memory(model, model_flags.shape_map(), model_flags.image_options());
  return assign_inputs(paths, input_names(loaded.model), flag);
}

compiler::SampleSource source_of(const std::shared_ptr<InputSet>& inputs, int64_t limit) {
  compiler::SampleSource source;
  source.count = static_cast<int>(std::min<int64_t>(limited(inputs->count(), limit), INT32_MAX));
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

// Likewise; for an input of another size the samples at `paths` are prepared anew.
compiler::SampleSource source_of(const std::shared_ptr<InputSet>& inputs, int64_t limit,
                                 const std::vector<std::string>& paths) {
  compiler::SampleSource source = source_of(inputs, limit);
  source.resized = [paths, limit](const compiler::InputSize& size,
                                  const std::optional<compiler::ImageOptions>& image) {
    const auto resized = std::make_shared<InputSet>(paths, from_compiler(image));
    if (!image) resized->resize_first(size.height, size.width);
    return source_of(resized, limit);
  };
  return source;
}

// A sanitizer slows bantam's own kernels down and not XNNPACK's: no plan is refused by such times.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif

// "0.5%" as 0.005.
double parse_drop(const std::string& text) {
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  const std::string unit(end, text.data() + text.size());
  if (error != std::errc() || unit != "%")
    throw UsageError("--max-drop " + text +
                     ": give the accuracy that int8 may cost in percent, such as 0.5%");
  if (!(percent > 0 && percent < 100))
    throw UsageError("--max-drop " + text + ": must lie between 0 and 100 %; fp32 is what costs none");
  return percent / 100;
}

struct Ratio {
  double share = 0;
  PruneUnit unit = PruneUnit::kMacs;
};

Ratio parse_ratio(const std::string& text) {
  Ratio ratio;
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  const std::string rest(end, text.data() + text.size());
  if (error != std::errc() || rest.empty() || rest[0] != '%')
    throw UsageError("--prune " + text +
                     ": give a share, such as 30% (of the macs), 30%params or 30%channels");
  if (!(percent > 0 && percent < 100))
    throw UsageError("--prune " + text + ": the share must lie between 0 and 100 %");
  ratio.share = percent / 100;
  if (rest == "%") return ratio;
  for (const auto& [name, unit] : kUnits) {
    ratio.unit = unit;
    if (rest.substr(1) == name) return ratio;
  }
  throw UsageError("--prune " + text + ": unknown unit '" + rest.substr(1) +
                   "'; a share is of macs, params or channels");
}

}  // namespace

void CalibrationFlags::add_to(CLI::App& command, const std::string& purpose) {
  command
      .add_option("--calibrate", paths,
                  "Samples for " + purpose +
                      ": a folder of images or an .npy file with samples along axis 0; [NAME=]PATH for each "
                      "input of a model with several")
      ->allow_extra_args(false);
  command.add_option("--calibrate-limit", limit, "Use only the first N samples")->check(CLI::PositiveNumber);
}

compiler::SampleSource CalibrationFlags::samples(const std::string& model,
                                                 const ModelFlags& model_flags) const {
  const std::vector<std::string> by_input = paths_by_input(paths, "--calibrate", model, model_flags);
  return source_of(std::make_shared<InputSet>(by_input, model_flags.image_options()), limit, by_input);
}

void TestFlags::add_to(CLI::App& command) {
  command
      .add_option("--inputs", inputs,
                  "Test samples, other than those of --calibrate: a folder of images or an .npy file with "
                  "samples along axis 0; [NAME=]PATH for each input of a model with several")
      ->allow_extra_args(false);
  command.add_option("--labels", labels,
                     "The classes of --inputs: an .npy of integers, or a CSV with rows file,label");
}

void TestFlags::check() const {
  if (!labels.empty() && inputs.empty()) throw UsageError("--labels needs the samples: give --inputs too");
}

std::optional<compiler::TestSet> TestFlags::test_set(const std::string& model,
                                                     const ModelFlags& model_flags) const {
  if (inputs.empty()) return std::nullopt;
  const std::vector<std::string> by_input = paths_by_input(inputs, "--inputs", model, model_flags);
  auto samples = std::make_shared<InputSet>(by_input, model_flags.image_options());
  compiler::TestSet set{source_of(samples, 0, by_input), {}};
  if (!labels.empty()) set.labels = read_labels(labels, samples->first(), set.samples.count);
  return set;
}

void PrecisionFlags::add_to(CLI::App& command) {
  command.add_option("--max-drop", max_drop,
                     "The accuracy that int8 may cost, such as 0.5%: top-1 on --inputs with --labels, else "
                     "samples on which top-1 "
                     "differs from fp32's, else the outputs' noise; ops that cost more stay float (float16 "
                     "where that serves)");
  command.add_option(
      "--device-profile", device,
      "Keep ops float32 that are slower in int8: by times that `bantam bench --profile-device FILE` "
      "recorded, or measured here (this)");
  command.add_flag("--allow-slower", allow_slower, "Write an int8 plan even if it is slower than fp32");
}

void PrecisionFlags::check(bool int8) const {
  if (!max_drop.empty()) parse_drop(max_drop);
  if (!int8 && (!max_drop.empty() || !device.empty() || allow_slower))
    throw UsageError(
        "--max-drop, --device-profile and --allow-slower go with --precision int8 or with budgets");
}

void PrecisionFlags::set(compiler::CompileOptions& options, bool searches) const {
  if (options.precision != compiler::Precision::kInt8 && !searches) return;
  if (!max_drop.empty()) options.max_drop = parse_drop(max_drop);
  if (!device.empty() && device != "this") {
    options.op_timer = profile_timer(device);
  } else if (searches || !device.empty() || !kInstrumented) {
    options.op_timer = measuring_timer();
  }
  options.choose_by_time = !device.empty();
  options.allow_slower = allow_slower;
}

std::string PrecisionFlags::text() const {
  return (max_drop.empty() ? "" : " --max-drop " + max_drop) +
         (device.empty() ? "" : " --device-profile " + file_name(device)) +
         (allow_slower ? " --allow-slower" : "");
}

void PruneFlags::add_to(CLI::App& command) {
  std::vector<std::string> names;
  for (const auto& row : kCriteria) names.emplace_back(row.first);
  command.add_option(
      "--prune", ratio,
      "Remove this share of the model, as whole channels: 30% (the same as 30%macs), 30%params or "
      "30%channels");
  command
      .add_option("--prune-by", criterion,
                  "Which channels go: error (default: least error of the network), l1, l2, bn, activation")
      ->check(CLI::IsMember(names));
  command.add_flag("--prune-per-layer", per_layer, "The same share of every layer, not where it costs least");
  command
      .add_option("--prune-tile", tile,
                  "Leave multiples of N channels; default: by the layer's size, up to 16")
      ->check(CLI::Range(1, 1024));
  command.add_flag("--no-reconstruct", no_reconstruct, "Keep the weights that are left as they are");
}

void PruneFlags::check() const {
  if (!ratio.empty()) {
    parse_ratio(ratio);
  } else if (!criterion.empty() || per_layer || no_reconstruct || tile > 0) {
    throw UsageError("--prune-by, --prune-per-layer, --prune-tile and --no-reconstruct go with --prune only");
  }
}

bool PruneFlags::needs_samples() const {
  if (ratio.empty()) return false;
  return !no_reconstruct || criterion.empty() || criterion == "error" || criterion == "activation";
}

compiler::PruneOptions PruneFlags::options() const {
  compiler::PruneOptions options;
  const Ratio parsed = parse_ratio(ratio);
  options.ratio = parsed.share;
  options.unit = parsed.unit;
  for (const auto& [name, value] : kCriteria) {
    if (criterion == name) options.criterion = value;
  }
  options.per_layer = per_layer;
  options.reconstruct = !no_reconstruct;
  options.tile = tile;
  return options;
}

std::string PruneFlags::text() const {
  if (ratio.empty()) return "";
  return " --prune " + ratio + (criterion.empty() ? "" : " --prune-by " + criterion) +
         (per_layer ? " --prune-per-layer" : "") + (tile > 0 ? format(" --prune-tile %d", tile) : "") +
         (no_reconstruct ? " --no-reconstruct" : "");
}

}  // namespace bantam::tools
