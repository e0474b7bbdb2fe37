#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <unordered_map>

#include "commands/command.h"
#include "engine/compile_model.h"
#include "engine/input_set.h"
#include "engine/model_flags.h"
#include "io/failure.h"
#include "io/json_writer.h"
#include "io/progress.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

struct DiffFlags {
  std::string onnx;
  std::string plan;
  std::vector<std::string> inputs;
  std::vector<std::string> shapes;
  int64_t limit = 0;
  bool json = false;
};

// How far a tensor of the plan is from the same tensor of the fp32 model, over all samples.
struct Distance {
  double signal = 0;  // sum of squares
  double noise = 0;
  double max_error = 0;
  double max_value = 0;  // of the fp32 tensor
  int64_t elements = 0;

  void add(const std::vector<float>& reference, const std::vector<float>& values) {
    for (size_t i = 0; i < values.size(); ++i) {
      double x = reference[i], error = std::fabs(x - values[i]);
      signal += x * x;
      noise += error * error;
      max_error = std::max(max_error, error);
      max_value = std::max(max_value, std::fabs(x));
    }
    elements += static_cast<int64_t>(values.size());
  }
  // Signal to quantization noise ratio in dB; infinite when equal.
  double sqnr() const {
    if (noise == 0) return std::numeric_limits<double>::infinity();
    return 10 * std::log10(signal / noise);
  }
};

using Tensors = std::unordered_map<std::string, std::vector<float>>;  // by name

// What the plan takes as --shape flags of the model it was made from.
std::map<std::string, std::vector<int64_t>> shapes_of_inputs(const Model& plan) {
  std::map<std::string, std::vector<int64_t>> shapes;
  bool image = plan.preprocessing().has_value();
  for (int i = 0; i < plan.info().input_count; ++i) {
    bantam_tensor input = plan.input(i);
    std::vector<int64_t> shape = shape_of(input);
    if (image && i == 0 && shape.size() == 4) shape = {shape[0], shape[3], shape[1], shape[2]};
    shapes[input.name] = shape;
  }
  return shapes;
}

class Comparison {
 public:
  Comparison(const Model& reference, const Model& plan, const DiffFlags& flags)
      : reference_(reference),
        plan_(plan),
        flags_(flags),
        layers_(static_cast<size_t>(plan.info().op_count)),
        outputs_(static_cast<size_t>(plan.info().output_count)) {
    if (reference.info().input_count != plan.info().input_count ||
        reference.info().output_count != plan.info().output_count) {
      throw Failure(flags.plan,
                    "has other inputs or outputs than " + flags.onnx + "; was it compiled from that model?");
    }
    for (int i = 0; i < plan.info().op_count; ++i) wanted_[plan.op_output(i, 0).name];
  }

  void run(const InputSet& inputs, int64_t count) {
    Progress progress;
    Session fp32 = open_session(reference_, 1, flags_.onnx);
    Session other = open_session(plan_, 1, flags_.plan);
    auto keep = [&](const bantam_op_event& event) {
      auto found = wanted_.find(event.outputs[0]->name);
      if (found != wanted_.end()) read_real(*event.outputs[0], found->second);
    };
    auto compare = [&](const bantam_op_event& event) {
      const std::vector<float>& expected = wanted_[event.outputs[0]->name];
      read_real(*event.outputs[0], values_);
      if (expected.size() == values_.size()) layers_[static_cast<size_t>(event.op)].add(expected, values_);
    };
    require(fp32.set_hook(&keep), flags_.onnx);
    require(other.set_hook(&compare), flags_.plan);
    for (int64_t i = 0; i < count; ++i) {
      inputs.write(fp32, i);
      require(fp32.run(), flags_.onnx);
      inputs.write(other, i);
      require(other.run(), flags_.plan);
      compare_outputs(fp32, other);
      progress.show("comparing", static_cast<double>(i + 1) / static_cast<double>(count));
    }
  }

  void print_json(int64_t samples) const;
  void print_text(int64_t samples) const;

 private:
  void compare_outputs(const Session& fp32, const Session& other) {
    std::vector<float> expected;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      read_real(fp32.output(static_cast<int>(i)), expected);
      read_real(other.output(static_cast<int>(i)), values_);
      if (expected.size() != values_.size())
        throw Failure(flags_.plan, "has outputs of other shapes than " + flags_.onnx);
      outputs_[i].add(expected, values_);
    }
  }

  const Model& reference_;
  const Model& plan_;
  const DiffFlags& flags_;
  Tensors wanted_;  // the fp32 tensors that the plan has too, of the current sample
  std::vector<float> values_;
  std::vector<Distance> layers_;  // per op of the plan; without elements where fp32 has no such tensor
  std::vector<Distance> outputs_;
};

void write_distance(JsonWriter& json, const Distance& distance) {
  json.field("sqnr_db", distance.sqnr())
      .field("max_error", distance.max_error)
      .field("max_value", distance.max_value);
}

void Comparison::print_json(int64_t samples) const {
  JsonWriter json;
  json.begin_object().field("samples", samples).key("layers").begin_array();
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].elements == 0) continue;
    bantam_op_info op = plan_.op(static_cast<int>(i));
    json.begin_object()
        .field("name", op.name)
        .field("op", op.code)
        .field("dtype", bantam_dtype_name(op.dtype));
    json.field("tensor", plan_.op_output(static_cast<int>(i), 0).name);
    write_distance(json, layers_[i]);
    json.end_object();
  }
  json.end_array().key("outputs").begin_array();
  for (size_t i = 0; i < outputs_.size(); ++i) {
    json.begin_object().field("name", plan_.output(static_cast<int>(i)).name);
    write_distance(json, outputs_[i]);
    json.end_object();
  }
  json.end_array().end_object();
  std::printf("%s\n", json.text().c_str());
}

std::string sqnr_text(const Distance& distance) {
  return std::isinf(distance.sqnr()) && distance.noise == 0 ? "equal" : format("%.1f dB", distance.sqnr());
}

void Comparison::print_text(int64_t samples) const {
  std::printf("%-44s %-16s %-8s %10s %12s %12s\n", "node", "op", "dtype", "SQNR", "max error", "max value");
  int matched = 0;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Distance& d = layers_[i];
    if (d.elements == 0) continue;
    ++matched;
    bantam_op_info op = plan_.op(static_cast<int>(i));
    std::printf("%-44.44s %-16s %-8s %10s %12.5g %12.5g\n", op.name, *op.kind != '\0' ? op.kind : op.code,
                bantam_dtype_name(op.dtype), sqnr_text(d).c_str(), d.max_error, d.max_value);
  }
  std::printf("\n%d of %zu ops compared with fp32 on %lld samples\n", matched, layers_.size(),
              static_cast<long long>(samples));
  for (size_t i = 0; i < outputs_.size(); ++i) {
    std::printf("output %s: %s, max error %.5g of %.5g\n", plan_.output(static_cast<int>(i)).name,
                sqnr_text(outputs_[i]).c_str(), outputs_[i].max_error, outputs_[i].max_value);
  }
}

int run_diff(const DiffFlags& flags) {
  Model plan = open_plan(flags.plan);
  if (is_plan(flags.onnx))
    throw Failure(flags.onnx, "is a plan; give the ONNX model that " + flags.plan + " was compiled from");
  std::optional<ImageOptions> image = image_options_of(plan);
  ModelFlags model_flags;
  model_flags.shapes = flags.shapes;
  LoadedModel reference = compile_in_memory(
      flags.onnx, flags.shapes.empty() ? shapes_of_inputs(plan) : model_flags.shape_map(), image);
  InputSet inputs(assign_inputs(flags.inputs, input_names(plan), "--inputs"), image);
  int64_t count = limited(inputs.count(), flags.limit);
  Comparison comparison(reference.model, plan, flags);
  comparison.run(inputs, count);
  flags.json ? comparison.print_json(count) : comparison.print_text(count);
  return 0;
}

}  // namespace

void add_diff(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<DiffFlags>();
  CLI::App* command =
      app.add_subcommand("diff", "Compare a plan with its ONNX model in fp32, layer by layer");
  command->add_option("onnx", flags->onnx, "M.onnx")->required();
  command->add_option("plan", flags->plan, "M.bantam")->required();
  command->add_option("--inputs", flags->inputs, "A folder of images or an .npy with samples along axis 0")
      ->required()
      ->allow_extra_args(false);
  command
      ->add_option("--shape", flags->shapes,
                   "As given to compile; only where the plan's own shapes do not fit")
      ->allow_extra_args(false);
  command->add_option("--limit", flags->limit, "Only the first N samples")->check(CLI::PositiveNumber);
  command->add_flag("--json", flags->json, "Print one JSON object");
  command->callback([flags, &chosen] { chosen = [flags] { return run_diff(*flags); }; });
}

}  // namespace bantam::tools
