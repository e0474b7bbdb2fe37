// The inputs of `bantam run`: image files and arrays, of one sample or several.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/plan.h"

namespace bantam::tools {

class RunInputs {
 public:
  // A path per input of the model.
  RunInputs(const Model& model, const std::vector<std::string>& paths);
  ~RunInputs();

  int64_t count() const { return count_; }
  // Loads sample `index` into the session's inputs; an input with one sample serves them all.
  void write(const Session& session, int64_t index) const;
  std::string name(int64_t index) const;
  // The shape of an output's samples together.
  std::vector<int64_t> stacked(const std::vector<int64_t>& output) const;

 private:
  class Source;
  enum class Stacking { kNone, kBatchAxis, kNewAxis };

  std::vector<std::unique_ptr<Source>> sources_;
  Stacking stacking_ = Stacking::kNone;
  int64_t count_ = 1;
};

}  // namespace bantam::tools
