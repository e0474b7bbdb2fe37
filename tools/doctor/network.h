// The float32 network that the doctor asks.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "doctor/doctor.h"
#include "engine/plan.h"

namespace bantam::tools {

using FloatRange = std::pair<float, float>;

// What the network makes of one sample.
struct Response {
  std::vector<float> scores;       // probabilities of the classes; empty when the output is no class scores
  std::vector<float> features;     // of the sample: mean, deviation and roughness of each channel
  std::vector<FloatRange> ranges;  // of the first output of every op that gives float32
};

// Rewrites a sample's first input, float32 in the model's own layout.
using Rewrite = std::function<void(std::vector<float>& values)>;

class Network {
 public:
  explicit Network(const DoctorOptions& options);

  // Of the first input: float32 N,C,H,W with 1 or 3 channels; 0: something else.
  int image_channels() const;
  bool scores_classes() const { return classes_ > 1; }
  int64_t classes() const { return classes_; }
  // The number of samples that a bounded time allows.
  int affordable(int wanted) const;

  // Of the given samples, in their order. `rewrite` may be empty.
  std::vector<Response> run(const compiler::SampleSource& samples, const std::vector<int>& indices,
                            const Rewrite& rewrite) const;

 private:
  std::vector<float> first_input(const compiler::TensorData& data) const;
  void write(const Session& session, const compiler::SampleSource& samples, int index, const Rewrite& rewrite,
             Response& response) const;

  std::string name_;
  std::optional<compiler::ImageOptions> image_;
  int threads_;
  LoadedModel loaded_;
  int64_t classes_ = 0;
};

// `count` of `total` indices, evenly spread.
std::vector<int> spread(int total, int count);

}  // namespace bantam::tools
