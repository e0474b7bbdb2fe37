// What `bantam diff` and `bantam explain` find out about a plan; shown as text, JSON or an HTML page.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "bantam/compiler/budgets.h"

namespace bantam::tools {

// How far a tensor of the plan is from the same tensor in float32, over all samples.
struct Distance {
  double signal = 0;  // sum of squares
  double noise = 0;
  double max_error = 0;
  double max_value = 0;  // in float32
  int64_t elements = 0;

  void add(const std::vector<float>& reference, const std::vector<float>& values);  // of the same size
  void add(const Distance& other);
  double ratio() const { return noise == 0 ? 0 : noise / signal; }  // noise to signal
  double sqnr() const;  // signal to quantization noise in dB; infinite when equal
};

double decibels(double noise_to_signal);  // -10 log10; infinite for 0

// A step from one network to the next on the way from the model to the plan.
struct Step {
  std::string cause;
  double noise = 0;        // how much it adds to the noise at the outputs, relative to the signal; may be < 0
  double noise_after = 0;  // the noise with all causes up to this one
};

// The causes that single ops are measured for. Order of OpReport::own.
inline constexpr int kOwnCauses = 3;
inline constexpr const char* kOwnCauseNames[kOwnCauses] = {"weight rounding", "clipping",
                                                           "activation rounding"};

struct OpReport {
  std::string name;
  std::string op;      // "Conv2d", "Sigmoid"
  std::string dtype;   // in which it computes
  std::string kernel;  // "Conv2d.int8": the line of the kernel list that computes it
  std::string tensor;  // its first output
  uint64_t macs = 0;
  uint64_t weights_bytes = 0;
  uint64_t weights_count = 0, weights_zeros = 0;  // zeros: those that are not stored
  uint64_t stored_bytes = 0;
  Distance distance;  // without elements where float32 has no such tensor
  std::array<double, kOwnCauses> own =
      {};                          // noise at the outputs, relative to the signal, from this op alone
  bool switched = false;           // whether `own` was measured
  double ms = -1;                  // of one run; < 0: not measured
  std::vector<std::string> notes;  // why it is as it is

  double own_noise() const { return own[0] + own[1] + own[2]; }
  double sparsity() const {
    return weights_count == 0 ? 0 : static_cast<double>(weights_zeros) / static_cast<double>(weights_count);
  }
};

struct OutputReport {
  std::string name;
  Distance distance;
};

// The values of a tensor in float32 and the range that the plan gives them.
struct TensorHistogram {
  static constexpr int kBins = 96;
  std::string tensor;
  float min = 0, max = 0;
  float low = 0, high = 0;                 // what int8 holds
  std::array<int64_t, kBins> counts = {};  // over [min, max]
  double clipped = 0;                      // share of the values outside [low, high]
};

struct Suggestion {
  std::string text;
  double gain_db = 0;    // predicted, at the outputs
  bool at_most = false;  // the gain is a bound
};

struct Agreement {
  int64_t same = 0;  // samples whose best class is that of float32
  int64_t samples = 0;
};

struct Report {
  std::string model;  // file name of the ONNX model; "" when none was given
  std::string plan;
  std::string precision;
  std::string options;  // as given to the compiler
  std::string calibration;
  uint64_t plan_bytes = 0, weights_bytes = 0, arena_bytes = 0, macs = 0;
  uint64_t weights_count = 0, weights_zeros = 0, left_out_bytes = 0;  // of all ops; bytes that zeros save
  std::vector<OpReport> ops;
  double total_ms = -1;                          // of one run, ops together; < 0: not measured
  std::vector<std::string> notes;                // of nodes that are no op of the plan
  std::optional<compiler::SearchReport> search;  // that found the plan

  // Only when samples were given:
  int64_t samples = 0;
  std::vector<OutputReport> outputs;
  std::vector<Step> steps;  // sums to the whole noise
  double noise = 0;         // at the outputs, relative to the signal (the mean of several outputs)
  int64_t own_samples = 0;  // of which single ops were measured
  std::array<double, kOwnCauses> together = {};  // a cause's step less what the ops add one by one
  int unmatched = 0;                             // ops with weights that have no counterpart in float32
  std::optional<Agreement> agreement;            // of classifiers
  std::vector<TensorHistogram> histograms;
  std::vector<Suggestion> suggestions;
};

}  // namespace bantam::tools
