#include "prune/data/sample_run.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "emit/plan_writer.h"
#include "passes/rewriter.h"

namespace bantam::compiler {
namespace {

class Workers {
 public:
  explicit Workers(const std::function<void(int)>& work) : work_(work) {}

  void run(int threads) {
    std::vector<std::thread> pool;
    for (int t = 1; t < threads; ++t) pool.emplace_back([this, t] { guard(t); });
    guard(0);
    for (std::thread& thread : pool) thread.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void guard(int thread) {
    try {
      work_(thread);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  const std::function<void(int)>& work_;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

int thread_count(const CompileOptions& options, int tasks) {
  const int hardware = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return std::max(1, std::min(options.threads > 0 ? options.threads : hardware, tasks));
}

std::span<const float> as_floats(const void* data, size_t bytes) {
  return {static_cast<const float*>(data), bytes / sizeof(float)};
}

}  // namespace

void for_each_index(int count, const CompileOptions& options, const std::function<void(int)>& work) {
  std::atomic<int> next = 0;
  Workers([&](int) {
    try {
      for (int i = next++; i < count; i = next++) work(i);
    } catch (...) {
      next = count;
      throw;
    }
  }).run(thread_count(options, count));
}

void run_samples(Graph graph, std::vector<ValueId> wanted, const RunSamples& samples,
                 const Observer& observer, const PassContext& context) {
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  graph.outputs.clear();
  std::vector<std::pair<size_t, ValueId>> inputs;
  for (ValueId id : wanted) {
    const auto input = std::find(graph.inputs.begin(), graph.inputs.end(), id);
    if (input == graph.inputs.end()) graph.outputs.push_back(id);
    if (input != graph.inputs.end()) inputs.emplace_back(input - graph.inputs.begin(), id);
  }
  drop_dead_nodes(graph);
  const std::vector<std::byte> plan =
      graph.nodes.empty() ? std::vector<std::byte>() : write_plan(graph, EmitOptions{});
  std::atomic<int> next = 0;
  Workers([&](int) {
    try {
      const std::unique_ptr<PlanRunner> runner = plan.empty() ? nullptr : context.runner(plan);
      for (int i = next++; i < samples.count; i = next++) {
        const std::vector<TensorData> sample = samples.load(i);
        for (const auto& [input, id] : inputs)
          observer(i, id, as_floats(sample[input].bytes.data(), sample[input].bytes.size()));
        if (!runner) continue;
        runner->run(sample, [&](int op, const void* data, size_t bytes) {
          const ValueId id = graph.nodes[static_cast<size_t>(op)].outputs[0];
          if (std::binary_search(wanted.begin(), wanted.end(), id)) observer(i, id, as_floats(data, bytes));
        });
      }
    } catch (...) {
      next = samples.count;
      throw;
    }
  }).run(thread_count(context.options, samples.count));
}

}  // namespace bantam::compiler
