#include "engine/evaluate.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "io/failure.h"
#include "io/progress.h"
#include "io/text.h"

namespace bantam::tools {
namespace {

constexpr int kBest = 5;

void check_scores(const std::vector<float>& scores, const std::string& where, const std::string& sample) {
  bool bad = std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
  if (bad) throw Failure(where, "gives NaN scores for " + sample);
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

int64_t class_count(const Model& model, const std::string& where) {
  bantam_tensor output = model.output(0);
  std::vector<int64_t> shape = shape_of(output);
  int64_t wide = std::count_if(shape.begin(), shape.end(), [](int64_t dim) { return dim != 1; });
  if (wide != 1) {
    throw Failure(
        where, "its output " + std::string(output.name) + " is " + type_text(output) +
                   "; accuracy needs one score per class. Use `bantam run --output` and compare the arrays");
  }
  return element_count(shape);
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

std::vector<std::vector<int>> classify(const Model& model, const InputSet& inputs, int64_t count, int threads,
                                       const std::string& where) {
  class_count(model, where);
  std::vector<std::vector<int>> best(static_cast<size_t>(count));
  std::vector<std::optional<Session>> sessions(static_cast<size_t>(worker_count(count, threads)));
  auto make_worker = [&](int worker) {
    sessions[static_cast<size_t>(worker)] = open_session(model, 1, where);
  };
  auto work = [&](int worker, int64_t index) {
    Session& session = *sessions[static_cast<size_t>(worker)];
    inputs.write(session, index);
    require(session.run(), where);
    std::vector<float> scores;
    read_real(session.output(0), scores);
    check_scores(scores, where, inputs.first().name(index));
    best[static_cast<size_t>(index)] = top_classes(scores, kBest);
  };
  for_each_sample(count, threads, file_name(where), make_worker, work);
  return best;
}

}  // namespace bantam::tools
