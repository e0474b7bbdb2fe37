#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "commands/command.h"
#include "engine/model_flags.h"
#include "engine/plan.h"
#include "io/json_writer.h"
#include "io/text.h"
#include "size/selective_size.h"

namespace bantam::tools {
namespace {

struct InspectFlags {
  std::string model;
  bool json = false;
  bool ops = false;
  ModelFlags model_flags;
};

constexpr const char* kOrders[] = {"rgb", "bgr", "gray"};

// Weights that are zero and not stored.
struct Zeros {
  uint64_t weights = 0, zeros = 0, left_out_bytes = 0;
};

Zeros zeros_of(const Model& model) {
  Zeros sum;
  for (int i = 0; i < model.info().op_count; ++i) {
    const bantam_op_info op = model.op(i);
    sum.weights += op.weights_count;
    sum.zeros += op.weights_zeros;
    sum.left_out_bytes += op.weights_bytes - op.stored_bytes;
  }
  return sum;
}

std::string percent_of(uint64_t part, uint64_t whole) {
  return format("%.1f %%", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

void write_tensor(JsonWriter& json, const bantam_tensor& tensor) {
  json.begin_object()
      .field("name", tensor.name)
      .field("dtype", bantam_dtype_name(tensor.dtype))
      .key("shape")
      .begin_array();
  for (int i = 0; i < tensor.rank; ++i) json.value(tensor.dims[i]);
  json.end_array();
  if (tensor.scale > 0)
    json.field("scale", static_cast<double>(tensor.scale)).field("zero_point", tensor.zero_point);
  json.end_object();
}

void write_ops(JsonWriter& json, const Model& model) {
  json.key("ops").begin_array();
  for (int i = 0; i < model.info().op_count; ++i) {
    bantam_op_info op = model.op(i);
    json.begin_object().field("name", op.name).field("op", op.code).field("kind", op.kind);
    json.field("dtype", bantam_dtype_name(op.dtype))
        .field("macs", op.macs)
        .field("weights_bytes", op.weights_bytes)
        .field("stored_bytes", op.stored_bytes)
        .field("weights_count", op.weights_count)
        .field("weights_zeros", op.weights_zeros);
    json.key("inputs").begin_array();
    for (int k = 0; k < op.input_count; ++k) write_tensor(json, model.op_input(i, k));
    json.end_array().key("outputs").begin_array();
    for (int k = 0; k < op.output_count; ++k) write_tensor(json, model.op_output(i, k));
    json.end_array().end_object();
  }
  json.end_array();
}

void write_values(JsonWriter& json, const char* name, const float* values, int count) {
  json.key(name).begin_array();
  for (int i = 0; i < count; ++i) json.value(static_cast<double>(values[i]));
  json.end_array();
}

void write_origin(JsonWriter& json, const Model& model) {
  if (std::optional<bantam_preprocessing> p = model.preprocessing()) {
    json.key("preprocessing")
        .begin_object()
        .field("image", kOrders[p->order])
        .field("resize", p->resize)
        .field("crop", p->crop);
    write_values(json, "mean", p->mean, p->channels);
    write_values(json, "std", p->std, p->channels);
    json.end_object();
  }
  bantam_provenance origin = model.provenance();
  json.key("provenance").begin_object().field("source", origin.source_name);
  json.field("source_hash", format("%016llx", static_cast<unsigned long long>(origin.source_hash)));
  json.field("options", origin.options).field("calibration", origin.calibration);
  json.field("compiler_version", origin.compiler_version).end_object();
  json.key("notes").begin_array();
  for (int i = 0; i < model.info().note_count; ++i) {
    json.begin_object().field("node", model.note(i).node).field("text", model.note(i).text).end_object();
  }
  json.end_array();
}

void print_json(const Model& model) {
  bantam_model_info info = model.info();
  JsonWriter json;
  json.begin_object().field("name", info.name).field("precision", info.precision);
  json.field("arena_bytes", info.arena_bytes).field("weights_bytes", info.weights_bytes);
  json.field("plan_bytes", info.plan_bytes).field("macs", info.macs);
  const Zeros zeros = zeros_of(model);
  json.field("weights_count", zeros.weights).field("weights_zeros", zeros.zeros);
  json.field("left_out_bytes", zeros.left_out_bytes);
  json.field("macs_int8", info.macs_int8)
      .field("macs_fp16", info.macs_fp16)
      .field("macs_fp32", info.macs_fp32);
  json.field("has_golden", info.has_golden != 0);
  json.key("inputs").begin_array();
  for (int i = 0; i < info.input_count; ++i) write_tensor(json, model.input(i));
  json.end_array().key("outputs").begin_array();
  for (int i = 0; i < info.output_count; ++i) write_tensor(json, model.output(i));
  json.end_array();
  const SelectiveSize size = selective_size(model);
  size.bytes > 0 ? json.field("selective_build_bytes", size.bytes) : json.key("selective_build_bytes").null();
  write_ops(json, model);
  write_origin(json, model);
  json.end_object();
  std::printf("%s\n", json.text().c_str());
}

void print_preprocessing(const Model& model) {
  std::optional<bantam_preprocessing> p = model.preprocessing();
  if (!p) return;
  std::printf("image      %s", kOrders[p->order]);
  if (p->resize > 0) std::printf(", short side resized to %d", p->resize);
  if (p->crop > 0) std::printf(", centre %dx%d", p->crop, p->crop);
  for (int i = 0; i < p->channels; ++i)
    std::printf(i == 0 ? ", mean %g" : ",%g", static_cast<double>(p->mean[i]));
  for (int i = 0; i < p->channels; ++i)
    std::printf(i == 0 ? ", std %g" : ",%g", static_cast<double>(p->std[i]));
  std::printf("\n");
}

void print_ops(const Model& model) {
  std::printf("\n%-44s %-16s %-8s %9s %10s %8s  %s\n", "node", "op", "dtype", "MACs", "weights", "zeros",
              "output");
  for (int i = 0; i < model.info().op_count; ++i) {
    bantam_op_info op = model.op(i);
    std::string code = *op.kind != '\0' ? op.kind : op.code;
    std::printf("%-44.44s %-16s %-8s %9s %10s %8s  %s\n", op.name, code.c_str(), bantam_dtype_name(op.dtype),
                op.macs > 0 ? human_count(op.macs).c_str() : "",
                op.stored_bytes > 0 ? human_bytes(op.stored_bytes).c_str() : "",
                op.weights_zeros > 0 ? percent_of(op.weights_zeros, op.weights_count).c_str() : "",
                type_text(model.op_output(i, 0)).c_str());
  }
}

void print_size(const Model& model) {
  const SelectiveSize size = selective_size(model);
  if (size.bytes == 0) {
    std::printf("library    unknown size if built for this plan alone: %s has not been measured\n",
                size.unmeasured.c_str());
    return;
  }
  std::printf(
      "library    about %s if built for this plan alone, %s with every kernel (64-bit ARM, stripped)\n",
      human_bytes(size.bytes).c_str(), human_bytes(size.all_bytes).c_str());
}

void print_text(const Model& model, bool ops) {
  bantam_model_info info = model.info();
  bantam_provenance origin = model.provenance();
  std::printf("precision  %s (ops: %d int8, %d fp16, %d fp32, %d others)\n", info.precision, info.ops_int8,
              info.ops_fp16, info.ops_fp32, info.op_count - info.ops_int8 - info.ops_fp16 - info.ops_fp32);
  std::printf("plan       %s, of that weights %s; format %d.%d\n", human_bytes(info.plan_bytes).c_str(),
              human_bytes(info.weights_bytes).c_str(), info.format_major, info.format_minor);
  if (const Zeros zeros = zeros_of(model); zeros.zeros > 0) {
    std::printf("sparsity   %s of %s weights are zero and not stored: %s less\n",
                percent_of(zeros.zeros, zeros.weights).c_str(), human_count(zeros.weights).c_str(),
                human_bytes(zeros.left_out_bytes).c_str());
  }
  std::printf("arena      %s\n", human_bytes(info.arena_bytes).c_str());
  std::printf("work       %s multiply-accumulates\n", human_count(info.macs).c_str());
  print_size(model);
  for (int i = 0; i < info.input_count; ++i) {
    std::printf("input      %s %s\n", model.input(i).name, type_text(model.input(i)).c_str());
  }
  print_preprocessing(model);
  for (int i = 0; i < info.output_count; ++i) {
    std::printf("output     %s %s\n", model.output(i).name, type_text(model.output(i)).c_str());
  }
  std::printf("made from  %s%s%s, by bantam %s\n", origin.source_name,
              *origin.options != '\0' ? " with " : "", origin.options, origin.compiler_version);
  if (*origin.calibration != '\0') std::printf("calibrated %s\n", origin.calibration);
  std::printf("golden     %s\n", info.has_golden != 0 ? "yes: `bantam verify` checks this machine" : "none");
  for (int i = 0; i < info.note_count; ++i) {
    std::string node = model.note(i).node, text = model.note(i).text;
    std::printf("note       %s: %s\n", node.c_str(), text.c_str());
  }
  if (ops) print_ops(model);
}

int run_inspect(const InspectFlags& flags) {
  LoadedModel loaded = open_model(flags.model, flags.model_flags);
  flags.json ? print_json(loaded.model) : print_text(loaded.model, flags.ops);
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* command =
      app.add_subcommand("inspect", "Show what a plan holds, or an ONNX model would as an fp32 plan");
  command->add_option("model", flags->model, "M.onnx or M.bantam")->required();
  command->add_flag("--ops", flags->ops, "List every op");
  flags->model_flags.add_to(*command);
  command->add_flag("--json", flags->json, "Print one JSON object");
  command->callback([flags, &chosen] { chosen = [flags] { return run_inspect(*flags); }; });
}

}  // namespace bantam::tools
