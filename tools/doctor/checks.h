// What the doctor looks at, each by itself.
#pragma once

#include <vector>

#include "doctor/doctor.h"
#include "doctor/network.h"

namespace bantam::tools {

// Constant samples and exact copies. A Failure when all samples are constant.
void check_content(const compiler::SampleSource& samples, std::vector<Finding>& findings);

// By number, and by how much the activations' ranges still grow from the first half of the responses to all.
void check_number(int samples, const std::vector<Response>& responses, std::vector<Finding>& findings);

// One class for nearly all samples.
void check_balance(const std::vector<Response>& responses, std::vector<Finding>& findings);

// Two-sample Kolmogorov-Smirnov tests of the inputs' statistics and of the activations' largest values.
void check_likeness(const std::vector<Response>& calibration, const std::vector<Response>& test, int channels,
                    std::vector<Finding>& findings);

struct ResponsesTo {
  const compiler::SampleSource* samples;
  std::vector<int> indices;
  std::vector<Response> responses;  // to these samples as they are
};

// Other usual preprocessing and the other order of channels, by what the network makes of it: by the loss on
// `labels` (one for each of all samples), or where there are none by how much it tells of the class.
void check_preprocessing(const Network& network, const std::optional<compiler::ImageOptions>& image,
                         const ResponsesTo& given, const std::vector<int64_t>& labels,
                         std::vector<Finding>& findings);

}  // namespace bantam::tools
