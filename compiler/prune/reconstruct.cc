#include "prune/reconstruct.h"

#include <algorithm>

#include "prune/data/layer_rows.h"
#include "prune/least_squares.h"

namespace bantam::compiler {
namespace {

constexpr int64_t kRowsPerColumn = 40;
constexpr int64_t kFewestRows = 4096;
constexpr int64_t kMostRows = 49152;
constexpr int64_t kMostNumbers = int64_t{1} << 26;  // of rows times columns

// How many rows to solve a layer with so many columns on, where the samples have as many.
int64_t rows_for(int64_t columns) {
  return std::min(std::clamp(kRowsPerColumn * columns, kFewestRows, kMostRows), kMostNumbers / columns);
}

bool is_depthwise(const Graph& graph, const Node& node) {
  if (node.code != OpCode::kConv2d) return false;
  const int64_t channels = graph.shape(node.inputs[0])[3];
  const auto& conv = node.attrs<plan::Conv2dT>();
  return conv.groups > 1 && conv.groups == channels && graph.shape(node.outputs[0])[3] == channels;
}

class Reconstruction {
 public:
  Reconstruction(const Graph& teacher, Graph& student, const Structure& structure,
                 const std::vector<bool>& removed, const CalibrationSamples& samples,
                 const PassContext& context)
      : student_(student),
        structure_(structure),
        removed_(removed),
        samples_(samples),
        context_(context),
        reader_(teacher, student, samples, context,
                [&](ValueId id) { return kept_along(structure, removed, id, teacher.shape(id).size() - 1); }),
        uses_(student),
        changed_(student.values.size(), false) {}

  ReconstructionSummary run() {
    for (size_t i = 0; i < student_.nodes.size(); ++i) {
      visit(static_cast<int>(i));
      if (context_.options.progress)
        context_.options.progress("reconstruct",
                                  static_cast<double>(i + 1) / static_cast<double>(student_.nodes.size()));
    }
    return summary_;
  }

 private:
  bool loses_inputs(const Node& node) const {
    if (!has_weights(node.code)) return false;
    const std::vector<int>& along =
        structure_.along(node.inputs[1], student_.shape(node.inputs[1]).size() - 1);
    return std::any_of(along.begin(), along.end(),
                       [&](int unit) { return unit >= 0 && removed_[static_cast<size_t>(unit)]; });
  }

  void visit(int index) {
    const Node& node = student_.nodes[static_cast<size_t>(index)];
    const bool disturbed =
        loses_inputs(node) || std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
          return id != kNoValue && changed_[static_cast<size_t>(id)];
        });
    if (!disturbed) return;
    changed_[static_cast<size_t>(node.outputs[0])] = true;
    const bool depthwise = is_depthwise(student_, node);
    if (!is_dense_product(node) && !depthwise) return;
    if (uses_.readers[static_cast<size_t>(node.inputs[1])].size() != 1) return;  // weights shared by layers
    solve(index, depthwise);
  }

  void solve(int index, bool depthwise) {
    const Node& node = student_.nodes[static_cast<size_t>(index)];
    const int64_t columns = row_length(student_, node);
    const PixelChoice choice(student_, node, samples_.count(), rows_for(columns));
    const LayerRows rows = reader_.read(index, choice, depthwise);
    const int per_sample = choice.per_sample();
    const Correction correction = depthwise ? solve_scales(rows.inputs, rows.residuals, per_sample)
                                            : solve_correction(rows.inputs, rows.residuals, per_sample);
    apply(index, correction, depthwise);
    count(node, correction, choice.rows(samples_.count()), depthwise ? 2 : columns);
  }

  void apply(int index, const Correction& correction, bool depthwise) {
    Node& node = student_.nodes[static_cast<size_t>(index)];
    Tensor bias = student_.constant(node.inputs[2]);
    bias.steps = nullptr;
    const std::span<float> shift = bias.as<float>();
    if (correction.weights.size() > 0) {
      Tensor weights = student_.constant(node.inputs[1]);
      weights.steps = nullptr;
      const std::span<float> data = weights.as<float>();
      const size_t row = data.size() / shift.size();
      for (size_t i = 0; i < data.size(); ++i) {
        // A depthwise layer's correction is a factor of its output, bias included.
        data[i] = depthwise ? data[i] * (1 + correction.weights(0, static_cast<Eigen::Index>(i / row)))
                            : data[i] + correction.weights.data()[i];
      }
      if (depthwise) {
        for (size_t o = 0; o < shift.size(); ++o)
          shift[o] *= 1 + correction.weights(0, static_cast<Eigen::Index>(o));
      }
      student_.value(node.inputs[1]).constant = std::make_shared<const Tensor>(std::move(weights));
    }
    for (size_t o = 0; o < shift.size(); ++o) shift[o] += correction.bias[static_cast<Eigen::Index>(o)];
    student_.value(node.inputs[2]).constant = std::make_shared<const Tensor>(std::move(bias));
  }

  void count(const Node& node, const Correction& correction, int rows, int64_t columns) {
    ++summary_.layers;
    if (correction.weights.size() > 0) ++summary_.solved;
    if (rows >= columns) return;
    if (summary_.scarce++ == 0) summary_.scarcest = node.name;
  }

  Graph& student_;
  const Structure& structure_;
  const std::vector<bool>& removed_;
  const CalibrationSamples& samples_;
  const PassContext& context_;
  LayerReader reader_;
  const Uses uses_;
  std::vector<bool> changed_;  // by value: not what the teacher computes
  ReconstructionSummary summary_;
};

}  // namespace

ReconstructionSummary reconstruct(const Graph& teacher, Graph& student, const Structure& structure,
                                  const std::vector<bool>& removed, const CalibrationSamples& samples,
                                  const PassContext& context) {
  return Reconstruction(teacher, student, structure, removed, samples, context).run();
}

}  // namespace bantam::compiler
