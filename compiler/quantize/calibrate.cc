#include "quantize/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "bantam/compiler/error.h"
#include "emit/plan_writer.h"
#include "ops/op_def.h"
#include "quantize/sample_halves.h"

namespace bantam::compiler {
namespace {

std::span<const float> as_floats(const void* data, size_t bytes) {
  return {static_cast<const float*>(data), bytes / sizeof(float)};
}

// Samples come with a batch dimension of 1 in front, which the input need not have.
bool same_elements(const Shape& sample, const Shape& input) {
  const auto first = [](const Shape& shape) {
    return std::find_if(shape.begin(), shape.end(), [](int64_t dim) { return dim != 1; });
  };
  return std::equal(first(sample), sample.end(), first(input), input.end());
}

class Calibration {
 public:
  Calibration(const Graph& graph, const PassContext& context, const std::vector<int>& which)
      : graph_(graph), context_(context), source_(*context.options.calibration), which_(which) {
    plan_ = write_plan(graph, EmitOptions{});
    multiplied_.assign(graph.values.size(), false);
    for (const Node& node : graph.nodes) {
      if (op_def(node.code).int8 == Int8Rule::kWeights)
        multiplied_[static_cast<size_t>(node.inputs[0])] = true;
    }
  }

  Statistics run() {
    const int hardware = std::max(1u, std::thread::hardware_concurrency());
    const int wanted = context_.options.threads > 0 ? context_.options.threads : hardware;
    const int count = std::min(wanted, static_cast<int>(which_.size()));
    std::vector<Statistics> parts(static_cast<size_t>(count));
    std::vector<std::thread> threads;
    for (int i = 1; i < count; ++i) {
      threads.emplace_back([this, &parts, i] { work(parts[static_cast<size_t>(i)]); });
    }
    work(parts[0]);
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    for (size_t i = 1; i < parts.size(); ++i) {
      for (size_t v = 0; v < graph_.values.size(); ++v) {
        parts[0].histograms[v].merge(parts[i].histograms[v]);
        parts[0].means[v].merge(parts[i].means[v]);
      }
    }
    check_finite(parts[0].histograms);
    return std::move(parts[0]);
  }

 private:
  void work(Statistics& statistics) {
    try {
      statistics.histograms.resize(graph_.values.size());
      statistics.means.resize(graph_.values.size());
      const std::unique_ptr<PlanRunner> runner = context_.runner(plan_);
      for (size_t i = next_++; i < which_.size() && !stop_; i = next_++) {
        observe_sample(which_[i], *runner, statistics);
        report(++done_);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stop_ = true;
    }
  }

  void observe_sample(int index, PlanRunner& runner, Statistics& statistics) const {
    const std::vector<TensorData> sample = source_.load(index);
    check_sample(graph_, index, sample);
    for (size_t i = 0; i < sample.size(); ++i) {
      observe(index, graph_.inputs[i], sample[i].bytes.data(), sample[i].bytes.size(), statistics);
    }
    runner.run(sample, [&](int op, const void* data, size_t bytes) {
      observe(index, graph_.nodes[static_cast<size_t>(op)].outputs[0], data, bytes, statistics);
    });
  }

  void observe(int sample, ValueId id, const void* data, size_t bytes, Statistics& statistics) const {
    if (graph_.dtype(id) != DType::kFloat32) return;
    const std::span<const float> values = as_floats(data, bytes);
    statistics.histograms[static_cast<size_t>(id)].add(sample, values);
    const Shape& shape = graph_.shape(id);
    if (multiplied_[static_cast<size_t>(id)] && !shape.empty()) {
      statistics.means[static_cast<size_t>(id)].add(values, static_cast<size_t>(shape.back()));
    }
  }

  void check_finite(const std::vector<SplitHistogram>& histograms) const {
    for (size_t v = 0; v < histograms.size(); ++v) {
      if (histograms[v].not_finite() == 0) continue;
      throw CompileError(
          fmt::format("the fp32 model computes NaN or infinity in '{}' on the calibration data; check the "
                      "preprocessing",
                      graph_.values[v].name));
    }
  }

  void report(int done) const {
    if (context_.options.progress) {
      context_.options.progress("calibrate", done / static_cast<double>(which_.size()));
    }
  }

  const Graph& graph_;
  const PassContext& context_;
  const SampleSource& source_;
  const std::vector<int>& which_;
  std::vector<std::byte> plan_;
  std::vector<bool> multiplied_;  // by value: a convolution or the like reads it
  std::atomic<size_t> next_ = 0;
  std::atomic<int> done_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

void check_sample(const Graph& graph, int index, const std::vector<TensorData>& sample) {
  if (sample.size() != graph.inputs.size()) {
    throw CompileError(fmt::format("calibration sample {} has {} tensors, the model has {} inputs", index,
                                   sample.size(), graph.inputs.size()));
  }
  for (size_t i = 0; i < sample.size(); ++i) {
    const Value& input = graph.value(graph.inputs[i]);
    if (sample[i].dtype != input.type.dtype || !same_elements(sample[i].shape, input.type.shape)) {
      throw CompileError(fmt::format("calibration sample {} is {}, input '{}' is {}", index,
                                     to_string(TensorType{sample[i].dtype, sample[i].shape}), input.name,
                                     to_string(input.type)));
    }
    if (input.type.dtype != DType::kFloat32) continue;
    Histogram finite;
    finite.add(as_floats(sample[i].bytes.data(), sample[i].bytes.size()));
    if (finite.not_finite() > 0) {
      throw CompileError(fmt::format("calibration sample {} has {} NaN or infinite values; remove it", index,
                                     finite.not_finite()));
    }
  }
}

void check_calibration(const CompileOptions& options) {
  if (!options.calibration) {
    throw CompileError(
        "int8 needs calibration data: give --calibrate with a folder of images or an .npy file");
  }
  if (options.calibration->count < 1) throw CompileError("the calibration data has no samples");
}

Statistics calibrate(const Graph& graph, const PassContext& context) {
  check_calibration(context.options);
  return calibrate(graph, context, every_sample(context.options.calibration->count));
}

Statistics calibrate(const Graph& graph, const PassContext& context, const std::vector<int>& which) {
  return Calibration(graph, context, which).run();
}

}  // namespace bantam::compiler
