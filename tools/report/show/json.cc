#include "io/json_writer.h"
#include "report/show/render.h"

namespace bantam::tools {
namespace {

void write_distance(JsonWriter& json, const Distance& distance) {
  json.field("sqnr_db", distance.sqnr())
      .field("max_error", distance.max_error)
      .field("max_value", distance.max_value);
}

void write_own(JsonWriter& json, const char* key, const std::array<double, kOwnCauses>& own) {
  json.key(key).begin_object();
  for (size_t c = 0; c < kOwnCauses; ++c) json.field(kOwnCauseNames[c], own[c]);
  json.end_object();
}

void write_op(JsonWriter& json, const Report& report, const OpReport& op) {
  json.begin_object().field("name", op.name).field("op", op.op).field("dtype", op.dtype);
  json.field("kernel", op.kernel).field("tensor", op.tensor).field("macs", op.macs);
  json.field("weights_bytes", op.weights_bytes).field("stored_bytes", op.stored_bytes);
  json.field("sparsity", op.sparsity());
  if (op.ms >= 0) json.field("ms", op.ms).field("time_share", op.ms / report.total_ms);
  if (op.distance.elements > 0) write_distance(json, op.distance);
  if (op.switched) write_own(json, "own_noise", op.own);
  json.key("notes").begin_array();
  for (const std::string& note : op.notes) json.value(note);
  json.end_array().end_object();
}

// As `bantam diff` has always printed them.
void write_layers(JsonWriter& json, const Report& report) {
  json.key("layers").begin_array();
  for (const OpReport& op : report.ops) {
    if (op.distance.elements == 0) continue;
    json.begin_object().field("name", op.name).field("op", op.op).field("dtype", op.dtype);
    json.field("tensor", op.tensor);
    write_distance(json, op.distance);
    json.end_object();
  }
  json.end_array();
}

void write_errors(JsonWriter& json, const Report& report) {
  json.key("outputs").begin_array();
  for (const OutputReport& output : report.outputs) {
    json.begin_object().field("name", output.name);
    write_distance(json, output.distance);
    json.end_object();
  }
  json.end_array().field("noise", report.noise).key("causes").begin_array();
  for (const Step& step : report.steps) {
    json.begin_object().field("cause", step.cause).field("noise", step.noise);
    json.field("sqnr_after_db", decibels(step.noise_after)).end_object();
  }
  json.end_array().field("own_samples", report.own_samples);
  write_own(json, "acting_together", report.together);
  json.field("unmatched", report.unmatched);
  if (report.agreement)
    json.field("agreement",
               static_cast<double>(report.agreement->same) / static_cast<double>(report.agreement->samples));
}

void write_histograms(JsonWriter& json, const Report& report) {
  json.key("histograms").begin_array();
  for (const TensorHistogram& histogram : report.histograms) {
    json.begin_object().field("tensor", histogram.tensor);
    json.field("min", double{histogram.min}).field("max", double{histogram.max});
    json.field("low", double{histogram.low}).field("high", double{histogram.high});
    json.field("clipped", histogram.clipped).key("counts").begin_array();
    for (int64_t count : histogram.counts) json.value(count);
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace

std::string to_json(const Report& report) {
  JsonWriter json;
  json.begin_object().field("plan", report.plan).field("precision", report.precision);
  json.field("model", report.model).field("options", report.options);
  json.field("plan_bytes", report.plan_bytes)
      .field("arena_bytes", report.arena_bytes)
      .field("macs", report.macs)
      .field("weights_zeros", report.weights_zeros)
      .field("left_out_bytes", report.left_out_bytes);
  if (report.total_ms >= 0) json.field("ops_ms", report.total_ms);
  json.field("samples", report.samples);
  json.key("ops").begin_array();
  for (const OpReport& op : report.ops) write_op(json, report, op);
  json.end_array().key("notes").begin_array();
  for (const std::string& note : report.notes) json.value(note);
  json.end_array();
  if (report.samples > 0) {
    write_layers(json, report);
    write_errors(json, report);
    write_histograms(json, report);
  }
  json.key("suggestions").begin_array();
  for (const Suggestion& suggestion : report.suggestions) {
    json.begin_object().field("text", suggestion.text).field("gain_db", suggestion.gain_db);
    json.field("at_most", suggestion.at_most).end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace bantam::tools
