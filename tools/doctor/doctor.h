// Examines calibration samples before a model is calibrated with them: what the samples hold, what the
// network makes of them in float32, and whether it would make more of them prepared in another way.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"

namespace bantam::tools {

enum class FindingKind {
  kConstant,
  kDuplicates,
  kTooFew,
  kNormalization,
  kChannelOrder,
  kUnlikeTestSet,
  kUnbalanced
};

struct Finding {
  FindingKind kind;
  std::string saw;     // with numbers
  std::string advice;  // what to do
  // How much the network tells of the samples as they are and as advised (kNormalization, kChannelOrder):
  // bits of class without labels, loss in nats with them. 0 for the others.
  double before = 0;
  double after = 0;

  std::string text() const { return saw + "; " + advice; }
};

struct Diagnosis {
  std::vector<Finding> findings;
  int samples_run = 0;  // by the network as they are
  double seconds = 0;

  bool found(FindingKind kind) const;
};

struct DoctorOptions {
  std::string model;  // the ONNX file
  std::map<std::string, std::vector<int64_t>> shapes;
  std::optional<compiler::ImageOptions> image;
  compiler::SampleSource calibration;
  std::optional<compiler::SampleSource> test;  // prepared like the calibration samples
  std::vector<int64_t> test_labels;            // one for each test sample, or none
  int threads = 0;                             // 0: all cores
};

// Deterministic for a machine; runs the network some 200 times at most, less often the larger it is. A
// Failure when the samples cannot serve at all (all constant, NaN).
Diagnosis examine(const DoctorOptions& options);

}  // namespace bantam::tools
