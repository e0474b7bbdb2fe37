// From a histogram to the scale and zero point of an int8 tensor.
#pragma once

#include "bantam/compiler/compiler.h"
#include "ir/graph.h"
#include "quantize/histogram.h"

namespace bantam::compiler {

struct Range {
  float min = 0;
  float max = 0;
};

// The part of the number line that int8 shall cover. kPercentile drops 0.001 % at each end; kSquaredError
// minimizes the expected squared error of rounding and clipping together. kMeasured has to be settled before
// (tune/choose_ranges.h).
Range choose_range(const Histogram& histogram, RangeMethod method);
// Likewise; kSquaredError leaves as much room as makes the least squared error of each half with the range
// that the other half tells: there will be values beyond those seen.
Range choose_range(const SplitHistogram& histogram, RangeMethod method);

// 256 steps from min to max, widened to include 0, with 0 exactly on a step. An empty or constant range is
// still valid.
Quantization quantization_of(Range range);

// That of a constant: all its values.
Quantization quantization_of_constant(const Tensor& tensor);

const char* range_method_name(RangeMethod method);

}  // namespace bantam::compiler
