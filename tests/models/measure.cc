#include "measure.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <memory>

#include "arena_bound.h"
#include "data/labels.h"
#include "data/npy.h"
#include "data/samples.h"
#include "engine/compile_model.h"
#include "engine/evaluate.h"
#include "engine/plan_runner.h"
#include "plan_format.h"
#include "support/table_runner.h"

namespace bantam::tests {

compiler::SampleSource calibration(const std::string& path, const std::optional<tools::ImageOptions>& image) {
  std::shared_ptr<tools::Samples> samples = tools::open_samples(path, image);
  compiler::SampleSource source;
  source.count = static_cast<int>(samples->count());
  source.description = samples->description();
  source.load = [samples](int index) { return std::vector{tools::to_compiler(samples->load(index))}; };
  return source;
}

PlanBytes compile_fp32(const std::string& onnx, const std::optional<tools::ImageOptions>& image) {
  compiler::CompileOptions options;
  options.image = tools::to_compiler(image);
  return compiler::compile(onnx, options, tools::plan_runner_factory()).plan;
}

PlanBytes compile_fp16(const std::string& onnx, const std::optional<tools::ImageOptions>& image) {
  compiler::CompileOptions options;
  options.precision = compiler::Precision::kFp16;
  options.image = tools::to_compiler(image);
  return compiler::compile(onnx, options, tools::plan_runner_factory()).plan;
}

PlanBytes compile_int8(const std::string& onnx, const std::optional<tools::ImageOptions>& image,
                       const compiler::SampleSource& samples, int threads) {
  compiler::CompileOptions options;
  options.precision = compiler::Precision::kInt8;
  options.image = tools::to_compiler(image);
  options.calibration = samples;
  options.threads = threads;
  return compiler::compile(onnx, options, tools::plan_runner_factory()).plan;
}

Model load(const PlanBytes& plan, const std::string& name) {
  Expected<Model> model = Model::from_memory(plan.data(), plan.size());
  tools::require(model.outcome(), name);
  return std::move(*model);
}

namespace {

std::vector<float> first_output(test::TableRunner& runner, const tools::Samples& samples, int64_t index) {
  const std::vector<compiler::TensorData> outputs =
      runner.run(std::vector{tools::to_compiler(samples.load(index))});
  std::vector<float> values(outputs[0].bytes.size() / sizeof(float));
  std::memcpy(values.data(), outputs[0].bytes.data(), outputs[0].bytes.size());
  return values;
}

}  // namespace

std::vector<int> classify(const PlanBytes& plan, const std::string& name, const std::string& inputs) {
  const Model model = load(plan, name);
  const tools::InputSet samples({inputs}, tools::image_options_of(model));
  std::vector<int> classes;
  for (const std::vector<int>& best : tools::classify(model, samples, samples.count(), 0, name)) {
    classes.push_back(best[0]);
  }
  return classes;
}

std::vector<int> classify_with(const KernelTable& kernels, const PlanBytes& plan, const std::string& inputs,
                               const std::optional<tools::ImageOptions>& image) {
  test::TableRunner runner(kernels, plan);
  const auto samples = tools::open_samples(inputs, image);
  std::vector<int> classes;
  for (int64_t i = 0; i < samples->count(); ++i) {
    const std::vector<float> scores = first_output(runner, *samples, i);
    classes.push_back(static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin()));
  }
  return classes;
}

double difference(const KernelTable& a, const KernelTable& b, const PlanBytes& plan,
                  const std::string& inputs, const std::optional<tools::ImageOptions>& image, int limit) {
  test::TableRunner first(a, plan), second(b, plan);
  const auto samples = tools::open_samples(inputs, image);
  double error = 0, largest = 0;
  for (int64_t i = 0; i < std::min<int64_t>(limit, samples->count()); ++i) {
    const std::vector<float> expected = first_output(first, *samples, i);
    const std::vector<float> actual = first_output(second, *samples, i);
    for (size_t k = 0; k < expected.size(); ++k) {
      REQUIRE(std::isfinite(actual[k]));
      error = std::max(error, std::fabs(double{actual[k]} - expected[k]));
      largest = std::max(largest, std::fabs(double{expected[k]}));
    }
  }
  return error / largest;
}

double top1(const std::vector<int>& classes, const std::string& labels, const std::string& inputs) {
  std::optional<tools::ImageOptions> image;
  if (!tools::is_npy(inputs)) image.emplace();
  const auto samples = tools::open_samples(inputs, image);
  const std::vector<int64_t> wanted =
      tools::read_labels(labels, *samples, static_cast<int64_t>(classes.size()));
  int64_t hits = 0;
  for (size_t i = 0; i < classes.size(); ++i) hits += classes[i] == wanted[i] ? 1 : 0;
  return 100.0 * static_cast<double>(hits) / static_cast<double>(classes.size());
}

double agreement(const std::vector<int>& a, const std::vector<int>& b) {
  int64_t same = 0;
  for (size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
  return 100.0 * static_cast<double>(same) / static_cast<double>(a.size());
}

double golden_error(const PlanBytes& plan, const std::string& input_npy, const std::string& output_npy) {
  const Model model = load(plan, input_npy);
  Session session = tools::open_session(model, 1, input_npy);
  const tools::NpyFile inputs(input_npy), outputs(output_npy);
  double error = 0, largest = 0;
  for (int64_t i = 0; i < inputs.shape()[0]; ++i) {
    const tools::Tensor input = inputs.read_item(i), expected = outputs.read_item(i);
    const bantam_tensor target = session.input(0);
    REQUIRE(target.bytes == input.bytes.size());
    std::memcpy(target.data, input.bytes.data(), input.bytes.size());
    tools::require(session.run(), input_npy);
    std::vector<float> actual;
    tools::read_real(session.output(0), actual);
    REQUIRE(actual.size() == expected.as<float>().size());
    for (size_t k = 0; k < actual.size(); ++k) {
      const float value = expected.as<float>()[k];
      REQUIRE(std::isfinite(actual[k]));
      error = std::max(error, std::fabs(double{actual[k]} - value));
      largest = std::max(largest, std::fabs(double{value}));
    }
  }
  return error / largest;
}

PlanBytes check_int8(const std::string& onnx, const std::optional<tools::ImageOptions>& image,
                     const compiler::SampleSource& samples) {
  PlanBytes plan = compile_int8(onnx, image, samples, 1);
  CHECK(plan == compile_int8(onnx, image, samples, 2));
  const Model model = load(plan, onnx);
  for (int threads : {1, 2}) {
    INFO(threads << " threads");
    const auto result = tools::open_session(model, threads, onnx).verify();
    tools::require(result.outcome(), onnx);
    CHECK(result->matches == 1);
    CHECK(result->ops_compared > 0);
  }
  return plan;
}

void check_half_size(const PlanBytes& fp16, const PlanBytes& fp32) {
  const bantam_model_info half = load(fp16, "fp16").info(), full = load(fp32, "fp32").info();
  INFO("fp16 " << half.weights_bytes << " of " << half.plan_bytes << " bytes, fp32 " << full.weights_bytes
               << " of " << full.plan_bytes);
  const auto constants = static_cast<uint64_t>(3 * full.op_count);
  CHECK(half.weights_bytes <= full.weights_bytes / 2 + constants * kTensorAlignment);
}

void check_arena(const PlanBytes& plan) {
  const ArenaNeed need = arena_need(plan);
  INFO("arena " << need.arena << ", alive " << need.bound << " bytes");
  CHECK(need.arena >= need.bound);
  CHECK(static_cast<double>(need.arena) <= 1.05 * static_cast<double>(need.bound));
}

}  // namespace bantam::tests
