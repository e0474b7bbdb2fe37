#include "search/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>

#include "bantam/compiler/error.h"
#include "emit/plan_writer.h"
#include "passes/rewriter.h"
#include "prune/data/samples.h"
#include "quantize/calibrate.h"

namespace bantam::compiler {
namespace {

constexpr size_t kMostNumbers = size_t{1} << 14;  // compared per output and sample, unless they are classes
constexpr double kLeastNoise = 1e-12;

// The graph without a Softmax that makes an output: it hides errors where it saturates, and keeps the order.
Graph before_softmax(Graph graph) {
  for (ValueId& output : graph.outputs) {
    for (const Node& node : graph.nodes) {
      if (node.code != OpCode::kSoftmax || node.outputs[0] != output) continue;
      const ValueId scores = node.inputs[0];
      const bool input = std::find(graph.inputs.begin(), graph.inputs.end(), scores) != graph.inputs.end();
      if (graph.is_constant(scores) || input || graph.is_output(scores)) break;
      output = scores;
      graph.value(scores).half = false;
      break;
    }
  }
  drop_dead_nodes(graph);
  return graph;
}

std::vector<std::byte> plan_of(const Graph& graph) {
  return write_plan(before_softmax(graph), EmitOptions{});
}

bool is_scores(const Shape& shape) {
  return element_count(shape) > 1 &&
         std::count_if(shape.begin(), shape.end(), [](int64_t dim) { return dim != 1; }) == 1;
}

std::vector<float> floats_of(const TensorData& tensor, bool whole) {
  const auto* data = reinterpret_cast<const float*>(tensor.bytes.data());
  const size_t count = tensor.bytes.size() / sizeof(float);
  const size_t step = whole ? 1 : (count + kMostNumbers - 1) / kMostNumbers;
  std::vector<float> numbers;
  for (size_t i = 0; i < count; i += std::max<size_t>(step, 1)) numbers.push_back(data[i]);
  return numbers;
}

int best_of(const std::vector<float>& scores) {
  return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

// Runners of one plan, each used by one thread at a time.
class Runners {
 public:
  Runners(const PassContext& context, const Graph& graph) : context_(context), plan_(plan_of(graph)) {}

  template <typename Use>
  void with_one(const Use& use) {
    std::unique_ptr<PlanRunner> runner = take();
    use(*runner);
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(runner));
  }

 private:
  std::unique_ptr<PlanRunner> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return context_.runner(plan_);
    std::unique_ptr<PlanRunner> runner = std::move(free_.back());
    free_.pop_back();
    return runner;
  }

  const PassContext& context_;
  std::vector<std::byte> plan_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<PlanRunner>> free_;
};

}  // namespace

Judge::Judge(const Graph& teacher, const PassContext& context, const TestSet& set)
    : context_(context), set_(set) {
  if (set.samples.count < 1) throw CompileError("the test data has no samples");
  for (ValueId id : teacher.outputs) float_output_.push_back(teacher.dtype(id) == DType::kFloat32);
  classes_ = float_output_[0] && is_scores(teacher.shape(teacher.outputs[0]));
  if (!set.labels.empty() && !classes_)
    throw CompileError("--labels: the model's first output is no list of class scores; leave the labels out");
  const auto count = static_cast<size_t>(set.samples.count);
  expected_.resize(count);
  expected_class_.resize(count);
  Runners runners(context, teacher);
  for_each_index(set.samples.count, context.options, [&](int i) {
    const std::vector<TensorData> sample = set.samples.load(i);
    check_sample(teacher, i, sample);
    runners.with_one([&](PlanRunner& runner) { expected_[static_cast<size_t>(i)] = run(runner, sample); });
    if (classes_) expected_class_[static_cast<size_t>(i)] = best_of(expected_[static_cast<size_t>(i)][0]);
  });
  check_labels();
  measure_variance();
}

Judge::Outputs Judge::run(PlanRunner& runner, const std::vector<TensorData>& sample) const {
  const std::vector<TensorData> results = runner.run(sample, {});
  Outputs outputs;
  for (size_t i = 0; i < results.size(); ++i) {
    outputs.push_back(float_output_[i] ? floats_of(results[i], i == 0 && classes_) : std::vector<float>());
  }
  return outputs;
}

void Judge::check_labels() const {
  const auto classes = static_cast<int64_t>(expected_[0][0].size());
  for (size_t i = 0; i < set_.labels.size(); ++i) {
    if (set_.labels[i] >= 0 && set_.labels[i] < classes) continue;
    throw CompileError(
        fmt::format("--labels: label {} of sample {} is not one of the model's classes, 0 to {}",
                    set_.labels[i], i, classes - 1));
  }
}

void Judge::measure_variance() {
  for (size_t o = 0; o < float_output_.size(); ++o) {
    double sum = 0, squares = 0, count = 0;
    for (const Outputs& outputs : expected_) {
      for (float x : outputs[o]) {
        sum += x;
        squares += double{x} * x;
        ++count;
      }
    }
    const double per_sample = count / static_cast<double>(expected_.size());
    const double mean = count > 0 ? sum / count : 0;
    variance_.push_back(count > 0 ? std::max((squares / count - mean * mean) * per_sample, 0.0) : 0);
  }
}

void Judge::add_squares(const Outputs& outputs, int sample, std::vector<double>& squares) const {
  squares.resize(outputs.size());
  for (size_t o = 0; o < outputs.size(); ++o) {
    const std::vector<float>& expected = expected_[static_cast<size_t>(sample)][o];
    for (size_t i = 0; i < expected.size(); ++i)
      squares[o] += std::pow(double{outputs[o][i]} - double{expected[i]}, 2);
  }
}

double Judge::noise_of(const std::vector<double>& squares, int64_t samples) const {
  double total = 0;
  int outputs = 0;
  for (size_t o = 0; o < squares.size(); ++o) {
    if (!float_output_[o]) continue;
    ++outputs;
    const double error = squares[o] / static_cast<double>(samples);
    total += variance_[o] > 0 ? error / variance_[o] : (error > 0 ? 1.0 : 0.0);
  }
  return outputs > 0 ? total / outputs : 0;
}

double Judge::noise(const Graph& graph, int most) const {
  const std::unique_ptr<PlanRunner> runner = context_.runner(plan_of(graph));
  const int count = std::min(most, set_.samples.count);
  std::vector<double> squares;
  for (int i = 0; i < count; ++i) {
    const int sample = static_cast<int>(int64_t{i} * set_.samples.count / count);
    add_squares(run(*runner, set_.samples.load(sample)), sample, squares);
  }
  return noise_of(squares, count);
}

Verdict Judge::judge(const Graph& graph) const {
  const size_t count = expected_.size();
  std::vector<int> best(count);
  std::vector<std::vector<double>> squares(count);
  Runners runners(context_, graph);
  for_each_index(static_cast<int>(count), context_.options, [&](int i) {
    runners.with_one([&](PlanRunner& runner) {
      const Outputs outputs = run(runner, set_.samples.load(i));
      if (classes_) best[static_cast<size_t>(i)] = best_of(outputs[0]);
      add_squares(outputs, i, squares[static_cast<size_t>(i)]);
    });
  });
  Verdict verdict;
  verdict.samples = static_cast<int>(count);
  verdict.classes = classes_;
  verdict.by_labels = !set_.labels.empty();
  std::vector<double> total(float_output_.size());
  int lost = 0, won = 0;
  for (size_t i = 0; i < count; ++i) {
    for (size_t o = 0; o < total.size(); ++o) total[o] += squares[i][o];
    verdict.agreeing += best[i] == expected_class_[i];
    if (!verdict.by_labels) continue;
    const bool hit = best[i] == set_.labels[i], fp32_hit = expected_class_[i] == set_.labels[i];
    verdict.hits += hit;
    verdict.fp32_hits += fp32_hit;
    lost += fp32_hit && !hit;
    won += hit && !fp32_hit;
  }
  verdict.noise = noise_of(total, static_cast<int64_t>(count));
  if (verdict.by_labels) {
    verdict.drop = static_cast<double>(lost - won) / static_cast<double>(count);
    verdict.interval = paired_interval(lost, won, static_cast<int64_t>(count));
  } else if (classes_) {
    const int differing = verdict.samples - verdict.agreeing;
    verdict.drop = static_cast<double>(differing) / static_cast<double>(count);
    verdict.interval = wilson_interval(differing, verdict.samples);
  } else {
    verdict.drop = verdict.noise;
    verdict.interval = {verdict.noise, verdict.noise};
  }
  return verdict;
}

double decibels(double noise) { return -10 * std::log10(std::max(noise, kLeastNoise)); }

std::string verdict_text(const Verdict& v) {
  const double percent = 100.0 / v.samples;
  std::string text;
  if (v.by_labels) {
    text = fmt::format(
        "top-1 {:.2f} % of fp32's {:.2f} %, {:.2f} points lost (95 %: {:.2f} to {:.2f}), agreement {:.2f} %",
        v.hits * percent, v.fp32_hits * percent, 100 * v.drop, 100 * v.interval.low, 100 * v.interval.high,
        v.agreeing * percent);
  } else if (v.classes) {
    text = fmt::format("top-1 differs from fp32's on {:.2f} % (95 %: {:.2f} to {:.2f} %)", 100 * v.drop,
                       100 * v.interval.low, 100 * v.interval.high);
  } else {
    text = fmt::format("noise of the outputs {:.3f} %", 100 * v.noise);
  }
  return fmt::format("{}, output SQNR {:.1f} dB, on {} samples", text, decibels(v.noise), v.samples);
}

std::string open_question(const Verdict& v, double max_drop) {
  if (v.interval.low > max_drop || v.interval.high <= max_drop) return "";
  const int64_t needed = samples_to_settle(v.by_labels ? std::max(v.drop, 0.0) : v.drop, max_drop);
  return needed > v.samples ? fmt::format("about {} samples would settle it", needed)
                            : "more samples would settle it";
}

}  // namespace bantam::compiler
