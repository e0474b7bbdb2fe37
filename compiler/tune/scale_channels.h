// Scaling of channels: what equalization does to a network, and what is read back out of its plan.
#pragma once

#include <cmath>
#include <vector>

#include "ir/graph.h"
#include "tune/scale_units.h"

namespace bantam::compiler {

// Factors are powers of this, so far apart that the rounded weights of a plan still tell which they were.
inline const double kFactorRatio = std::exp2(0.25);
inline double on_factor_grid(double factor) { return std::exp2(std::round(4 * std::log2(factor)) / 4); }

// Multiplies what the problem's producers make by `factors`, one per unit of the problem, and divides them
// out of the weights of its readers.
void scale_channels(Graph& graph, const ScaleUnits& units, const ScaleProblem& problem,
                    const std::vector<double>& factors);

// By channel of a value.
std::vector<double> factors_of(const ScaleUnits& units, ValueId id, const std::vector<double>& factors);

// The input channel that a layer's weight number `i` multiplies. `weights`: [outputs, taps, inputs per
// group].
class InputChannel {
 public:
  InputChannel(const Shape& weights, int64_t input_channels)
      : row_(static_cast<size_t>(element_count(weights) / weights[0])),
        per_group_(static_cast<size_t>(weights.back())),
        outputs_per_group_(static_cast<size_t>(weights[0] * weights.back() / input_channels)) {}

  size_t operator()(size_t i) const { return i / row_ / outputs_per_group_ * per_group_ + i % per_group_; }

 private:
  size_t row_, per_group_, outputs_per_group_;
};

}  // namespace bantam::compiler
