// What the user gives for a model's inputs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/samples.h"
#include "engine/plan.h"

namespace bantam::tools {

// The path for each input of the model, from `[NAME=]PATH` texts; one without a name is for the next input
// that has none yet. A Failure when an input gets none or more than one, or a name is unknown.
std::vector<std::string> assign_inputs(const std::vector<std::string>& texts,
                                       const std::vector<std::string>& names, const std::string& where);
std::vector<std::string> input_names(const Model& model);

// Samples with one tensor per input of a model.
class InputSet {
 public:
  // `image`: of the first input.
  InputSet(const std::vector<std::string>& paths, const std::optional<ImageOptions>& image);

  int64_t count() const { return samples_[0]->count(); }
  int inputs() const { return static_cast<int>(samples_.size()); }
  // The samples of the first input, which is no image by image options, with another height and width.
  void resize_first(int height, int width);
  std::vector<Tensor> load(int64_t index) const;  // thread-safe
  const Samples& first() const { return *samples_[0]; }
  // Loads sample `index` into the inputs of `session`.
  void write(const Session& session, int64_t index) const;

 private:
  std::vector<std::unique_ptr<Samples>> samples_;
  bool takes_image_;
};

// `count`, or `limit` when that is less and not 0.
int64_t limited(int64_t count, int64_t limit);

}  // namespace bantam::tools
