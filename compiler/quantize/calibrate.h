// Runs the fp32 network over the calibration samples and records what every float32 value looks like. Memory
// does not depend on the number of samples; the samples are spread over the cores, and the result does not
// depend on how.
#pragma once

#include <vector>

#include "passes/pass.h"
#include "quantize/channel_means.h"
#include "quantize/histogram.h"

namespace bantam::compiler {

struct Statistics {
  std::vector<SplitHistogram> histograms;  // by value; empty for values that are not float32 or not computed
  std::vector<ChannelMeans>
      means;  // by value, over its last axis; only of values that are multiplied by weights
};

// Throws CompileError unless a sample's tensors fit the inputs of `graph` and are finite.
void check_sample(const Graph& graph, int index, const std::vector<TensorData>& sample);

// Throws CompileError where there are no samples.
void check_calibration(const CompileOptions& options);

// Throws CompileError: no samples, a sample of the wrong type or shape, NaN or infinity in samples or
// activations.
Statistics calibrate(const Graph& graph, const PassContext& context);
// On the samples with the indices `which`, at least one.
Statistics calibrate(const Graph& graph, const PassContext& context, const std::vector<int>& which);

}  // namespace bantam::compiler
