// The error of a plan by cause and by op: it sums to the whole, and networks that are spoilt in one way are
// told so.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <numeric>
#include <random>

#include "data/npy.h"
#include "engine/plan_runner.h"
#include "export/onnx_writer.h"
#include "net.h"
#include "report/describe.h"
#include "report/measure.h"
#include "temporary_directory.h"

namespace bantam::tests {
namespace {

using Catch::Approx;
using tools::TemporaryDirectory;

using Samples = std::vector<std::vector<float>>;

Samples random_samples(size_t count, size_t size, float scale) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> uniform(-scale, scale);
  Samples samples(count, std::vector<float>(size));
  for (auto& sample : samples) {
    for (float& x : sample) x = uniform(random);
  }
  return samples;
}

std::string save(const TemporaryDirectory& dir, const Shape& shape, const Samples& samples) {
  std::vector<int64_t> stacked = {static_cast<int64_t>(samples.size())};
  stacked.insert(stacked.end(), shape.begin(), shape.end());
  tools::NpyWriter writer(dir.file("samples.npy"), DType::kFloat32, stacked);
  for (const auto& sample : samples) writer.append(std::as_bytes(std::span(sample)));
  writer.commit();
  return dir.file("samples.npy");
}

compiler::SampleSource source_of(const Samples& samples, const Shape& shape) {
  compiler::SampleSource source;
  source.count = static_cast<int>(samples.size());
  source.load = [samples, shape](int index) {
    const auto bytes = std::as_bytes(std::span(samples[static_cast<size_t>(index)]));
    return std::vector<compiler::TensorData>{{DType::kFloat32, shape, {bytes.begin(), bytes.end()}}};
  };
  return source;
}

// Compiles the network and finds out where the plan's error on `samples` comes from. The graph's input is of
// rank 2, so that its layout is that of the ONNX model.
tools::Report report_on(const Graph& graph, const compiler::CompileOptions& options, const Samples& samples) {
  const TemporaryDirectory dir;
  const std::string onnx = dir.file("net.onnx");
  std::ofstream(onnx, std::ios::binary) << write_onnx(graph);
  const compiler::CompileResult compiled = compiler::compile(onnx, options, tools::plan_runner_factory());
  const auto loaded = tools::load_plan(compiled.plan);
  REQUIRE(loaded.ok());
  const tools::InputSet inputs({save(dir, graph.shape(graph.inputs[0]), samples)}, std::nullopt);
  const tools::Subject subject =
      tools::make_subject(loaded->model, compiled.plan, "net.bantam", inputs, {onnx, "", options});
  tools::Report report = tools::describe(loaded->model, "net.bantam");
  measure_steps(subject, report);
  measure_ops(subject, report);
  measure_histograms(subject, report);
  suggest(subject, report);
  return report;
}

compiler::CompileOptions int8(const Samples& calibration, const Shape& shape) {
  compiler::CompileOptions options;
  options.precision = Precision::kInt8;
  options.ranges = RangeMethod::kMinMax;
  options.calibration = source_of(calibration, shape);
  return options;
}

double share(const tools::Report& report, const std::string& cause) {
  for (const tools::Step& step : report.steps) {
    if (step.cause == cause) return step.noise / report.noise;
  }
  return 0;
}

// x [1,K] times [O,K].
Graph dense(int64_t outputs, const std::vector<float>& weights) {
  GraphBuilder net;
  const int64_t inputs = static_cast<int64_t>(weights.size()) / outputs;
  const ValueId x = net.input({1, inputs});
  const ValueId w = net.graph.add_constant("w", Tensor::of<float>({outputs, inputs}, weights));
  net.output(net.add(OpCode::kFullyConnected, {x, w}, plan::FullyConnectedT()));
  return std::move(net.graph);
}

TEST_CASE("the causes sum to the error of the plan, the ops' own errors to the causes") {
  Net net;
  ValueId x = net.input({1, 48});
  x = net.reshape(x, {1, 4, 4, 3});
  x = net.relu(net.conv(x, 12, 3));
  const ValueId sum = net.add_values(x, net.conv(net.relu(net.conv(x, 16, 3)), 12, 3));
  net.output(net.dense(net.global_pool(net.relu(sum)), 5));
  const Samples samples = random_samples(12, 48, 1.0f);
  const tools::Report report = report_on(net.graph, int8(samples, {1, 48}), samples);
  REQUIRE(report.steps.size() == 5);
  REQUIRE(report.noise > 0);
  double sum_of_steps = 0, after = 0;
  for (const tools::Step& step : report.steps) {
    sum_of_steps += step.noise;
    CHECK(step.noise_after == Approx(after + step.noise).epsilon(1e-9));
    after = step.noise_after;
  }
  CHECK(sum_of_steps == Approx(report.outputs[0].distance.ratio()).epsilon(1e-9));
  CHECK(report.unmatched == 0);
  std::array<double, tools::kOwnCauses> sums = report.together;
  int switched = 0;
  for (const tools::OpReport& op : report.ops) {
    for (size_t c = 0; c < sums.size(); ++c) sums[c] += op.own[c];
    switched += op.switched ? 1 : 0;
  }
  CHECK(switched >= 5);
  for (size_t c = 0; c < sums.size(); ++c) CHECK(sums[c] == Approx(report.steps[c + 1].noise).epsilon(1e-9));
  // The integer kernels do little that was not foreseen in float32.
  CHECK(std::fabs(share(report, "tables and integer arithmetic")) < 0.2);
  CHECK(std::fabs(share(report, "folding")) < 1e-3);
}

TEST_CASE("ranges that are too narrow show as clipping") {
  const Samples samples = random_samples(16, 16, 1.0f);
  Samples narrow = samples;
  for (auto& sample : narrow) {
    for (float& x : sample) x *= 0.2f;
  }
  Net net;
  net.output(net.dense(net.input({1, 16}), 4));
  const tools::Report report = report_on(net.graph, int8(narrow, {1, 16}), samples);
  CHECK(share(report, "clipping") > 0.95);
  CHECK(report.histograms.at(0).clipped > 0.5);
  bool suggested = false;
  for (const tools::Suggestion& suggestion : report.suggestions)
    suggested |= suggestion.text.starts_with("clipping") && suggestion.gain_db > 5;
  CHECK(suggested);
}

TEST_CASE("channels with one weight that dwarfs the others show as weight rounding") {
  std::vector<float> weights = random_samples(1, 16 * 4, 0.006f)[0];
  for (size_t row = 0; row < 4; ++row) weights[row * 16] = 1.0f;
  Samples samples = random_samples(16, 16, 1.0f);
  for (auto& sample : samples) sample[0] = 0;
  const tools::Report report = report_on(dense(4, weights), int8(samples, {1, 16}), samples);
  CHECK(share(report, "weight rounding") > 0.9);
  // The sums of rounded weights leave the range of the exact ones.
  CHECK(std::fabs(share(report, "clipping")) < 0.3);
}

TEST_CASE("ranges that are too wide show as activation rounding") {
  std::vector<float> weights(16 * 4);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = i % 3 == 0 ? 1.0f : -1.0f;  // no rounding
  const Samples samples = random_samples(16, 16, 0.3f);
  Samples wide = samples;
  wide.push_back(random_samples(1, 16, 40.0f)[0]);
  const tools::Report report = report_on(dense(4, weights), int8(wide, {1, 16}), samples);
  CHECK(share(report, "activation rounding") > 0.9);
  CHECK(std::fabs(share(report, "weight rounding")) < 0.05);
  CHECK(report.histograms.at(0).clipped == 0);
}

TEST_CASE("pruning has a step of its own") {
  Net net;
  const ValueId hidden = net.relu(net.dense(net.input({1, 24}), 64));
  net.output(net.dense(hidden, 6));
  const Samples samples = random_samples(16, 24, 1.0f);
  compiler::CompileOptions options = int8(samples, {1, 24});
  options.prune = compiler::PruneOptions{};
  options.prune->ratio = 0.5;
  const tools::Report report = report_on(net.graph, options, samples);
  CHECK(report.steps.at(1).cause == "pruning");
  CHECK(share(report, "pruning") > 0.8);
  CHECK(report.unmatched == 0);
}

TEST_CASE("a plan in float32 has nothing but arithmetic to answer for") {
  Net net;
  net.output(net.dense(net.input({1, 24}), 6));
  const tools::Report report = report_on(net.graph, {}, random_samples(3, 24, 1.0f));
  REQUIRE(report.steps.size() == 2);
  CHECK(report.noise < 1e-9);
  CHECK(report.suggestions.empty());
}

TEST_CASE("the op that a suggestion names is the one that spoils the output") {
  Net net;
  ValueId x = net.relu(net.dense(net.input({1, 16}), 16));
  std::vector<float> coarse = random_samples(1, 16 * 16, 0.006f)[0];
  for (size_t row = 0; row < 16; ++row) coarse[row * 16] = 1.0f;
  const ValueId w = net.graph.add_constant("coarse", Tensor::of<float>({16, 16}, coarse));
  x = net.add(OpCode::kFullyConnected, {x, w}, plan::FullyConnectedT());
  const std::string spoilt = net.graph.nodes.back().name;
  net.output(net.dense(x, 4));
  const Samples samples = random_samples(16, 16, 1.0f);
  compiler::CompileOptions options = int8(samples, {1, 16});
  options.quantize_passes.equalize = false;  // which would spread the error over the ops before it
  const tools::Report report = report_on(net.graph, options, samples);
  REQUIRE(!report.suggestions.empty());
  CHECK(report.suggestions[0].text.find(spoilt) != std::string::npos);
  CHECK(report.suggestions[0].gain_db > 1);
}

// In the plan its channels are as large as those of the others: the network that it is compared with must
// have them so, too.
TEST_CASE("channels that were equalized are no error of their layers") {
  Net net;
  ValueId x = net.reshape(net.input({1, 192}), {1, 8, 8, 3});
  x = net.relu(net.conv(x, 12, 3));
  x = net.relu(net.conv(x, 12, 3, 12));
  x = net.conv(x, 12);
  net.output(net.dense(net.global_pool(x), 4));
  const std::vector<Node>& nodes = net.graph.nodes;
  REQUIRE(nodes[3].code == OpCode::kConv2d);
  REQUIRE(nodes[5].code == OpCode::kConv2d);
  rescale(net.graph, 3, 5, 0, 128.0f);
  rescale(net.graph, 3, 5, 1, 1.0f / 128);
  const Samples samples = random_samples(16, 192, 1.0f);
  const tools::Report report = report_on(net.graph, int8(samples, {1, 192}), samples);
  CHECK(report.unmatched == 0);
  CHECK(report.noise < 0.01);
  for (const tools::OpReport& op : report.ops) {
    INFO(op.tensor);
    CHECK(op.distance.ratio() < 0.01);
    for (double own : op.own) CHECK(std::fabs(own) < 0.02);
  }
}

}  // namespace
}  // namespace bantam::tests
