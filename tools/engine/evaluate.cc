#include "engine/evaluate.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "io/failure.h"
#include "io/progress.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

void check_values(const std::vector<float>& values, const std::string& where, const std::string& sample) {
  bool bad = std::any_of(values.begin(), values.end(), [](float value) { return std::isnan(value); });
  if (bad) throw Failure(where, "gives NaN for " + sample);
}

OutputValues run_sample(const Evaluated& evaluated, Session& session, int64_t index) {
  evaluated.inputs.write(session, index);
  require(session.run(), evaluated.where);
  OutputValues outputs(static_cast<size_t>(evaluated.model.info().output_count));
  for (size_t i = 0; i < outputs.size(); ++i) {
    read_real(session.output(static_cast<int>(i)), outputs[i]);
    check_values(outputs[i], evaluated.where, evaluated.inputs.first().name(index));
  }
  return outputs;
}

}  // namespace

std::vector<int> top_classes(const std::vector<float>& scores, int k) {
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  size_t kept = std::min(order.size(), static_cast<size_t>(k));
  auto better = [&](int a, int b) {
    float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), better);
  order.resize(kept);
  return order;
}

bool scores_classes(const Model& model) {
  std::vector<int64_t> shape = shape_of(model.output(0));
  return std::count_if(shape.begin(), shape.end(), [](int64_t dim) { return dim != 1; }) == 1;
}

int64_t class_count(const Model& model, const std::string& where) {
  bantam_tensor output = model.output(0);
  if (!scores_classes(model)) {
    throw Failure(where, "its output " + std::string(output.name) + " is " + type_text(output) +
                             "; labels need one score per class. Without --labels, --against another model "
                             "compares the outputs");
  }
  return element_count(shape_of(output));
}

int worker_count(int64_t count, int threads) {
  int64_t wanted = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  return static_cast<int>(std::clamp<int64_t>(count, 1, wanted));
}

void for_each_sample(int64_t count, int threads, const std::string& stage,
                     const std::function<void(int)>& make_worker,
                     const std::function<void(int, int64_t)>& work) {
  Progress progress;
  std::atomic<int64_t> next{0}, done{0};
  std::mutex mutex;
  std::exception_ptr failed;
  auto loop = [&](int worker) {
    try {
      make_worker(worker);
      for (int64_t i = next++; i < count; i = next++) {
        work(worker, i);
        progress.show(stage, static_cast<double>(++done) / static_cast<double>(count));
      }
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!failed) failed = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> others;
  for (int worker = 1; worker < worker_count(count, threads); ++worker) others.emplace_back(loop, worker);
  loop(0);
  for (std::thread& thread : others) thread.join();
  if (failed) std::rethrow_exception(failed);
}

void run_samples(const std::vector<Evaluated>& models, int64_t count, int threads,
                 const std::function<void(int64_t, const std::vector<OutputValues>&)>& look) {
  std::vector<std::vector<Session>> sessions(static_cast<size_t>(worker_count(count, threads)));
  auto make_worker = [&](int worker) {
    for (const Evaluated& evaluated : models)
      sessions[static_cast<size_t>(worker)].push_back(open_session(evaluated.model, 1, evaluated.where));
  };
  auto work = [&](int worker, int64_t index) {
    std::vector<OutputValues> outputs;
    for (size_t i = 0; i < models.size(); ++i)
      outputs.push_back(run_sample(models[i], sessions[static_cast<size_t>(worker)][i], index));
    look(index, outputs);
  };
  for_each_sample(count, threads, file_name(models[0].where), make_worker, work);
}

std::vector<std::vector<int>> classify(const Model& model, const InputSet& inputs, int64_t count, int threads,
                                       const std::string& where) {
  class_count(model, where);
  std::vector<std::vector<int>> best(static_cast<size_t>(count));
  run_samples({{model, inputs, where}}, count, threads, [&](int64_t index, const auto& outputs) {
    best[static_cast<size_t>(index)] = top_classes(outputs[0][0], kBestClasses);
  });
  return best;
}

}  // namespace bantam::tools
