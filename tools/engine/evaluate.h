#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/input_set.h"
#include "engine/plan.h"

namespace bantam::tools {

inline constexpr int kBestClasses = 5;

// Indices of the `k` largest scores, best first; of equal ones the first comes first.
std::vector<int> top_classes(const std::vector<float>& scores, int k);

// Whether the model's first output has a score per class: one dimension that is not 1.
bool scores_classes(const Model& model);
// How many classes. A Failure for outputs that are not class scores.
int64_t class_count(const Model& model, const std::string& where);

// Calls work(worker, index) for every index below `count`, on `threads` threads (0: all cores) of which each
// has its own worker number; make_worker(worker) is called on it first. The first exception ends all and is
// thrown.
void for_each_sample(int64_t count, int threads, const std::string& stage,
                     const std::function<void(int)>& make_worker,
                     const std::function<void(int, int64_t)>& work);
int worker_count(int64_t count, int threads);

// A model and what its inputs get.
struct Evaluated {
  const Model& model;
  const InputSet& inputs;
  std::string where;  // in messages
};
using OutputValues = std::vector<std::vector<float>>;  // of a model's outputs, as real numbers

// Runs samples 0 to count - 1 through the models and shows `look` what each gives, on several threads. A
// Failure for outputs that are no numbers.
void run_samples(const std::vector<Evaluated>& models, int64_t count, int threads,
                 const std::function<void(int64_t index, const std::vector<OutputValues>& outputs)>& look);

// The five (or fewer) best classes of samples 0 to count - 1.
std::vector<std::vector<int>> classify(const Model& model, const InputSet& inputs, int64_t count, int threads,
                                       const std::string& where);

}  // namespace bantam::tools
