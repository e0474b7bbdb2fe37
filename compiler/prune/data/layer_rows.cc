#include "prune/data/layer_rows.h"

#include <algorithm>
#include <utility>

namespace bantam::compiler {

LayerReader::LayerReader(const Graph& teacher, const Graph& student, const CalibrationSamples& samples,
                         const PassContext& context, Kept kept)
    : teacher_(teacher),
      student_(student),
      samples_(samples),
      kept_(std::move(kept)),
      teacher_run_(samples, context, samples.all()),
      student_run_(samples, context, samples.all()),
      uses_(student) {}

ValueId LayerReader::addend_of(int index) const {
  const ValueId y = student_.nodes[static_cast<size_t>(index)].outputs[0];
  const int reader = uses_.sole_reader(student_, y);
  if (reader < 0) return kNoValue;
  const Node& add = student_.nodes[static_cast<size_t>(reader)];
  if (add.code != OpCode::kBinary || add.attrs<plan::BinaryT>().kind != plan::BinaryKind::kAdd)
    return kNoValue;
  const ValueId other = add.inputs[add.inputs[0] == y ? 1 : 0];
  const bool known = uses_.producer[static_cast<size_t>(other)] < index && !student_.is_constant(other);
  return known && other != y && student_.shape(other) == student_.shape(y) ? other : kNoValue;
}

// The teacher's `values` added up, in the channels that are left.
void LayerReader::gather_targets(const std::vector<ValueId>& values, const PixelChoice& choice,
                                 RowMatrix& sum) const {
  const std::vector<int> kept = kept_(values[0]);
  teacher_run_.run(teacher_, values, [&](int sample, ValueId id, std::span<const float> data) {
    RowMatrix rows(choice.per_sample(), teacher_.shape(id).back());
    gather_pixels(data, choice.pixels(sample), rows);
    sum.middleRows(sample * choice.per_sample(), choice.per_sample()) += rows(Eigen::all, kept);
  });
}

LayerRows LayerReader::read(int index, const PixelChoice& choice, bool from_outputs) {
  const Node& node = student_.nodes[static_cast<size_t>(index)];
  const ValueId y = node.outputs[0];
  const ValueId addend = addend_of(index);
  teacher_run_.advance(teacher_, index);
  student_run_.advance(student_, index);
  const int count = choice.rows(samples_.count());
  LayerRows rows;
  rows.residuals = RowMatrix::Zero(count, student_.shape(y).back());
  std::vector<ValueId> outputs = {y};
  if (addend != kNoValue) outputs.push_back(addend);
  gather_targets(outputs, choice, rows.residuals);
  rows.inputs.resize(count, from_outputs ? rows.residuals.cols() : row_length(student_, node));
  gather_student(node, from_outputs ? y : node.inputs[0], outputs, choice, rows);
  return rows;
}

void LayerReader::gather_student(const Node& node, ValueId source, const std::vector<ValueId>& outputs,
                                 const PixelChoice& choice, LayerRows& rows) const {
  std::vector<ValueId> wanted = outputs;
  wanted.push_back(source);
  student_run_.run(student_, wanted, [&](int sample, ValueId id, std::span<const float> data) {
    const std::vector<int64_t> pixels = choice.pixels(sample);
    const int first = sample * choice.per_sample();
    auto inputs = rows.inputs.middleRows(first, choice.per_sample());
    if (id == source && id == outputs[0]) gather_pixels(data, pixels, inputs);
    if (id == source && id != outputs[0]) gather_inputs(student_, node, data, pixels, inputs);
    if (std::find(outputs.begin(), outputs.end(), id) == outputs.end()) return;
    RowMatrix values(choice.per_sample(), rows.residuals.cols());
    gather_pixels(data, pixels, values);
    rows.residuals.middleRows(first, choice.per_sample()) -= values;
  });
}

}  // namespace bantam::compiler
