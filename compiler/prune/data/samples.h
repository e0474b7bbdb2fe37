// Running networks on the calibration samples while pruning.
#pragma once

#include <string>
#include <vector>

#include "prune/data/sample_run.h"

namespace bantam::compiler {

// A fourth of the samples is kept out of fitting, to tell what was learnt from what was learnt by heart: four
// in a row, so that an image goes with its copies.
inline bool is_held_out(int sample) { return sample % 16 >= 12; }

class CalibrationSamples {
 public:
  // Uses at most `most` samples, evenly spread over all, and keeps them as far as memory allows. Of images
  // that are few, each is followed by its mirror image, or by that and two shifted ones: their labels do not
  // matter, so they serve as well.
  // Throws CompileError where there are none or one does not fit the inputs of `graph`.
  CalibrationSamples(const Graph& graph, const PassContext& context, int most);
  // Of those with the indices `from`.
  CalibrationSamples(const Graph& graph, const PassContext& context, int most, std::vector<int> from);

  int count() const { return count_; }
  // What the user gave, in words.
  std::string description() const;

  std::vector<int> all() const;
  std::vector<int> fitted() const;
  std::vector<int> held_out(int most) const;  // evenly spread; all where there are too few to hold out some

  // Runs `graph` on all samples, or those in `which`, and shows the values `wanted` (float32, not constant);
  // `position` is that in `which`.
  void run(const Graph& graph, const std::vector<ValueId>& wanted, const Observer& observer) const;
  void run(const Graph& graph, const std::vector<ValueId>& wanted, const Observer& observer,
           const std::vector<int>& which) const;

 private:
  std::vector<TensorData> load(int sample) const;
  int index_in_source(int image) const;
  void keep(const Graph& graph);

  const PassContext& context_;
  const SampleSource& source_;
  std::vector<int> from_;
  int images_ = 0;  // or whatever the samples are
  int copies_ = 1;  // of each: 1, 2 or 4
  int count_ = 0;
  std::vector<std::vector<TensorData>> kept_;  // the first ones
};

}  // namespace bantam::compiler
