#include "report/describe.h"

#include <map>

#include "bench/runs.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

// The line of the kernel list (kernels/kernel_list.inc) by op and type of the first input.
std::string kernel_of(const Model& plan, int index) {
  const bantam_op_info op = plan.op(index);
  if (op.input_count == 0) return op.code;
  return std::string(op.code) + "." + bantam_dtype_name(plan.op_input(index, 0).dtype);
}

void add_notes(const Model& plan, Report& report) {
  std::map<std::string, OpReport*> named;
  for (OpReport& op : report.ops) named.try_emplace(op.name, &op);
  for (int i = 0; i < plan.info().note_count; ++i) {
    const bantam_note note = plan.note(i);
    const auto found = named.find(note.node);
    if (found == named.end()) {
      report.notes.push_back(std::string(note.node) + ": " + note.text);
    } else {
      found->second->notes.emplace_back(note.text);
    }
  }
}

}  // namespace

Report describe(const Model& plan, const std::string& path) {
  const bantam_model_info info = plan.info();
  const bantam_provenance origin = plan.provenance();
  Report report;
  report.plan = file_name(path);
  report.precision = info.precision;
  report.options = origin.options;
  report.calibration = origin.calibration;
  report.plan_bytes = info.plan_bytes;
  report.weights_bytes = info.weights_bytes;
  report.arena_bytes = info.arena_bytes;
  report.macs = info.macs;
  for (int i = 0; i < info.op_count; ++i) {
    const bantam_op_info op = plan.op(i);
    OpReport& row = report.ops.emplace_back();
    row.name = op.name;
    row.op = *op.kind != '\0' ? op.kind : op.code;
    row.dtype = bantam_dtype_name(op.dtype);
    row.kernel = kernel_of(plan, i);
    row.tensor = plan.op_output(i, 0).name;
    row.macs = op.macs;
    row.weights_bytes = op.weights_bytes;
    row.weights_count = op.weights_count;
    row.weights_zeros = op.weights_zeros;
    row.stored_bytes = op.stored_bytes;
    report.weights_count += op.weights_count;
    report.weights_zeros += op.weights_zeros;
    report.left_out_bytes += op.weights_bytes - op.stored_bytes;
  }
  add_notes(plan, report);
  return report;
}

void measure_times(const std::string& path, double seconds, Report& report) {
  ReadyPlan plan = get_ready(path, "", 1);
  warm_up(plan.session, seconds / 5, path);
  const std::vector<OpTime> times = time_ops(plan, seconds, path);
  report.total_ms = 0;
  for (size_t i = 0; i < report.ops.size(); ++i) {
    report.ops[i].ms = times[i].ms;
    report.total_ms += times[i].ms;
  }
}

}  // namespace bantam::tools
