#include "engine/input_set.h"

#include <algorithm>

#include "io/failure.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::vector<std::string> assign_inputs(const std::vector<std::string>& texts,
                                       const std::vector<std::string>& names, const std::string& where) {
  std::vector<std::string> paths(names.size());
  std::vector<std::string> unnamed;
  for (const std::string& text : texts) {
    auto named = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return text.size() > name.size() && text[name.size()] == '=' && text.starts_with(name);
    });
    if (named == names.end()) {
      unnamed.push_back(text);
      continue;
    }
    std::string& path = paths[static_cast<size_t>(named - names.begin())];
    if (!path.empty()) throw Failure(where, "input " + *named + " is given twice");
    path = text.substr(named->size() + 1);
  }
  for (const std::string& text : unnamed) {
    auto free = std::find(paths.begin(), paths.end(), std::string());
    if (free == paths.end()) {
      throw Failure(where, format("%zu inputs are given; the model has %zu: ", texts.size(), names.size()) +
                               joined(names));
    }
    *free = text;
  }
  auto missing = std::find(paths.begin(), paths.end(), std::string());
  if (missing != paths.end()) {
    throw Failure(where, "nothing is given for input " + names[static_cast<size_t>(missing - paths.begin())] +
                             "; the model's inputs: " + joined(names));
  }
  return paths;
}

std::vector<std::string> input_names(const Model& model) {
  std::vector<std::string> names;
  for (int i = 0; i < model.info().input_count; ++i) names.emplace_back(model.input(i).name);
  return names;
}

InputSet::InputSet(const std::vector<std::string>& paths, const std::optional<ImageOptions>& image)
    : takes_image_(image.has_value()) {
  for (const std::string& path : paths)
    samples_.push_back(open_samples(path, samples_.empty() ? image : std::nullopt));
  for (size_t i = 1; i < samples_.size(); ++i) {
    if (samples_[i]->count() == count()) continue;
    throw Failure(paths[i], format("holds %lld samples, ", static_cast<long long>(samples_[i]->count())) +
                                paths[0] +
                                format(" %lld; every input needs as many", static_cast<long long>(count())));
  }
}

void InputSet::resize_first(int height, int width) {
  samples_[0] = resized_samples(std::move(samples_[0]), height, width);
}

std::vector<Tensor> InputSet::load(int64_t index) const {
  std::vector<Tensor> tensors;
  for (const auto& samples : samples_) tensors.push_back(samples->load(index));
  return tensors;
}

void InputSet::write(const Session& session, int64_t index) const {
  for (size_t i = 0; i < samples_.size(); ++i) {
    Tensor sample = samples_[i]->load(index);
    write_input(session, static_cast<int>(i), sample, takes_image_ && i == 0, samples_[i]->name(index));
  }
}

int64_t limited(int64_t count, int64_t limit) { return limit > 0 ? std::min(count, limit) : count; }

}  // namespace bantam::tools
