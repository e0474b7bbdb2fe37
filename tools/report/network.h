// Networks that are compared: each is run on one thread for one sample.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/input_set.h"
#include "engine/plan.h"
#include "report/report.h"

namespace bantam::tools {

using Values = std::vector<std::vector<float>>;  // of the outputs

// A session of a model whose last input may be switches.
class Network {
 public:
  Network(const Model& model, std::string where)
      : session_(open_session(model, 1, where)), where_(std::move(where)) {}

  void load(const InputSet& inputs, int64_t sample);  // for the next runs, too
  // `switches`: one per element of the input that has them; empty when the network has none.
  Values run(const std::vector<uint8_t>& switches = {});
  // Calls `see(op, values)` for the first output of every op.
  Values observe(const std::vector<uint8_t>& switches,
                 const std::function<void(int op, const std::vector<float>& values)>& see);

 private:
  Session session_;
  std::string where_;
  std::vector<std::vector<std::byte>> sample_;  // what the inputs take
};

// Noise of each output relative to its signal over all samples, the mean of the outputs.
class NoiseSum {
 public:
  void add(const Values& reference, const Values& values);
  void add(const NoiseSum& other);
  double ratio() const;

 private:
  std::vector<Distance> outputs_;
};

}  // namespace bantam::tools
