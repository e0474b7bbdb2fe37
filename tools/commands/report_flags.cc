#include "commands/report_flags.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "engine/compile_model.h"
#include "engine/model_flags.h"
#include "io/atomic_file.h"
#include "io/failure.h"
#include "io/input_file.h"
#include "io/text.h"
#include "report/measure.h"

namespace bantam::tools {
namespace {

constexpr int64_t kMostReportSamples = 64;  // that a page after compiling is about

// What the plan takes as --shape flags of the model it was made from.
std::map<std::string, std::vector<int64_t>> shapes_of_inputs(const Model& plan) {
  std::map<std::string, std::vector<int64_t>> shapes;
  const bool image = plan.preprocessing().has_value();
  for (int i = 0; i < plan.info().input_count; ++i) {
    const bantam_tensor input = plan.input(i);
    std::vector<int64_t> shape = shape_of(input);
    if (image && i == 0 && shape.size() == 4) shape = {shape[0], shape[3], shape[1], shape[2]};
    shapes[input.name] = shape;
  }
  return shapes;
}

// The size of the plan's only input, as CompileOptions say it; the model's own where it is no image.
compiler::InputSize size_of_input(const std::map<std::string, std::vector<int64_t>>& shapes) {
  if (shapes.size() != 1) return {};
  const std::vector<int64_t>& shape = shapes.begin()->second;
  if (shape.size() != 4) return {};
  return {static_cast<int>(shape[2]), static_cast<int>(shape[3])};
}

std::vector<std::byte> bytes_of(const std::string& path) {
  InputFile file(path);
  std::vector<std::byte> bytes(file.size());
  file.read(0, bytes);
  return bytes;
}

void write_page(const Report& report, const std::string& path) {
  const std::string page = to_html(report);
  write_file(path, std::as_bytes(std::span(page)));
}

}  // namespace

CLI::Option* ComparisonFlags::add_to(CLI::App& command) {
  CLI::Option* option =
      command.add_option("--inputs", inputs, "A folder of images or an .npy with samples along axis 0")
          ->allow_extra_args(false);
  command.add_option("--shape", shapes, "As given to compile; only where the plan's own shapes do not fit")
      ->allow_extra_args(false);
  command.add_option("--limit", limit, "Only the first N samples")->check(CLI::PositiveNumber);
  command.add_option("--pruned", pruned,
                     "The model after pruning, as `bantam prune` writes it: tells pruning from rounding");
  return option;
}

void compare(const Subject& subject, Report& report) {
  report.model = file_name(subject.onnx);
  measure_steps(subject, report);
  measure_ops(subject, report);
  measure_histograms(subject, report);
  suggest(subject, report);
  for (OpReport& op : report.ops) {
    for (const plan::NoteT& fusion : subject.fusions) {
      if (fusion.node == op.name) op.notes.push_back(fusion.text);
    }
  }
}

void compare(const ComparisonFlags& flags, const std::string& onnx, const Model& plan,
             const std::string& plan_path, Report& report) {
  if (is_plan(onnx))
    throw Failure(onnx, "is a plan; give the ONNX model that " + plan_path + " was compiled from");
  const std::optional<ImageOptions> image = image_options_of(plan);
  ModelFlags model_flags;
  model_flags.shapes = flags.shapes;
  Origin origin{onnx, flags.pruned, {}};
  origin.options.shapes = flags.shapes.empty() ? shapes_of_inputs(plan) : model_flags.shape_map();
  origin.options.input_size = size_of_input(shapes_of_inputs(plan));
  origin.options.image = to_compiler(image);
  const InputSet inputs(assign_inputs(flags.inputs, input_names(plan), "--inputs"), image);
  Subject subject = make_subject(plan, bytes_of(plan_path), plan_path, inputs, origin);
  subject.count = limited(inputs.count(), flags.limit);
  compare(subject, report);
}

void write_report(const std::string& html, const std::string& onnx, const std::string& plan_path,
                  const compiler::CompileOptions& options, const std::vector<std::string>& calibration,
                  const std::optional<compiler::SearchReport>& search) {
  const Model plan = open_plan(plan_path);
  Report report = describe(plan, plan_path);
  report.search = search;
  measure_times(plan_path, kReportSeconds, report);
  if (!calibration.empty()) {
    InputSet inputs(assign_inputs(calibration, input_names(plan), "--calibrate"), image_options_of(plan));
    const Origin origin{onnx, "", search ? options_of(options, *search->chosen) : options};
    const compiler::InputSize& size = origin.options.input_size;
    if (!size.is_own() && !origin.options.image) inputs.resize_first(size.height, size.width);
    Subject subject = make_subject(plan, bytes_of(plan_path), plan_path, inputs, origin);
    subject.count = limited(inputs.count(), kMostReportSamples);
    compare(subject, report);
  }
  write_page(report, html);
}

void ReportFlags::add_to(CLI::App& command) {
  command.add_option("--report", html, "Write all findings as a page for a browser, FILE.html");
  command.add_flag("--json", json, "Print one JSON object");
}

void ReportFlags::check() const {
  if (!html.empty()) AtomicFile probe(html);
}

void ReportFlags::show(const Report& report, View view) const {
  if (!html.empty()) write_page(report, html);
  const std::string text = json ? to_json(report) + "\n" : to_text(report, view);
  std::fputs(text.c_str(), stdout);
}

}  // namespace bantam::tools
