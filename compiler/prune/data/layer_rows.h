// What a layer of a network that is to imitate another one, the teacher, computes from and still lacks.
#pragma once

#include <functional>

#include "prune/data/frontier.h"
#include "prune/data/rows.h"

namespace bantam::compiler {

struct LayerRows {
  RowMatrix inputs;     // of the student: those of a dense product or, of depthwise layers, their outputs
  RowMatrix residuals;  // the teacher's outputs less the student's
};

class LayerReader {
 public:
  // `kept`: which channels of the teacher's value the student still has.
  using Kept = std::function<std::vector<int>(ValueId id)>;

  // The networks have the same nodes and values, and outlive the reader.
  LayerReader(const Graph& teacher, const Graph& student, const CalibrationSamples& samples,
              const PassContext& context, Kept kept);

  // Of node `index`, at the pixels of `choice`; nodes in ascending order, and nothing ahead of one that was
  // asked about may change any more. Where an addition follows whose other operand is known by then, what
  // that lacks is in the residuals too.
  LayerRows read(int index, const PixelChoice& choice, bool from_outputs);

 private:
  ValueId addend_of(int index) const;
  void gather_targets(const std::vector<ValueId>& values, const PixelChoice& choice, RowMatrix& sum) const;
  void gather_student(const Node& node, ValueId source, const std::vector<ValueId>& outputs,
                      const PixelChoice& choice, LayerRows& rows) const;

  const Graph& teacher_;
  const Graph& student_;
  const CalibrationSamples& samples_;
  Kept kept_;
  Frontier teacher_run_;
  Frontier student_run_;
  const Uses uses_;
};

}  // namespace bantam::compiler
