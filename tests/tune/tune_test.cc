// What int8 plans lose of small networks of random weights, with and without each of the passes against it.
#include "quantize/sample_halves.h"
#include "tune/equalize.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <map>

#include "engine/plan_runner.h"
#include "net.h"
#include "tune/prepare.h"
#include "tune/scale_units.h"

namespace bantam::tests {
namespace {

struct Context {
  explicit Context(const Graph& graph) {
    options.precision = compiler::Precision::kInt8;
    options.calibration = samples_for(graph, 64);
  }

  CompileOptions options;
  std::vector<std::string> warnings;
  Evaluator evaluate = [](const Graph&, const Node&) { return std::vector<Tensor>(); };
  compiler::PlanRunnerFactory runner = tools::plan_runner_factory();
  PassContext pass{options, evaluate, runner, warnings, {}, {}, {}};
};

double relative_error(const std::vector<float>& expected, const std::vector<float>& actual) {
  REQUIRE(expected.size() == actual.size());
  double error = 0, power = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += std::pow(static_cast<double>(actual[i]) - static_cast<double>(expected[i]), 2);
    power += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(error / power);
}

// Of the int8 network against the fp32 one, on data that it was not calibrated with.
double int8_error(const Graph& graph, const compiler::QuantizePasses& passes) {
  Graph int8 = graph;
  Context context(graph);
  context.options.quantize_passes = passes;
  fuse_clamps(int8, context.pass);
  quantize(int8, context.pass);
  check_graph(int8, "quantize");
  const compiler::SampleSource fresh = samples_for(graph, 64, 99);
  return relative_error(run(graph, fresh), run(int8, fresh));
}

// Nodes: 0 convolution, 1 clamp, 2 depthwise, 3 clamp, 4 convolution, 5 pool and so on.
Graph separable(float limit) {
  Net net;
  ValueId x = net.clamp(net.conv(net.input({1, 8, 8, 4}), 16, 3), 0, INFINITY);
  x = net.clamp(net.conv(x, 16, 3, 16), 0, limit);
  x = net.conv(x, 16);
  net.graph.outputs = {net.dense(net.global_pool(x), 8)};
  return std::move(net.graph);
}

TEST_CASE("equalizing leaves the outputs as they are, however channels hang together") {
  int changed = 0;
  for (const NamedNet& named : nets()) {
    INFO(named.name);
    Net net;
    named.build(net);
    // Uneven channels, so that there is something to equalize.
    for (const Node& node : net.graph.nodes) {
      if (!multiplies_by_constants(net.graph, node)) continue;
      const std::span<float> w = changeable(net.graph, node.inputs[1]).as<float>();
      for (size_t i = 0; i < w.size() / static_cast<size_t>(net.graph.shape(node.inputs[1])[0]); ++i)
        w[i] *= 30;
    }
    Context context(net.graph);
    Graph equalized = net.graph;
    equalize(equalized, context.pass, every_sample(64));
    check_graph(equalized, "equalize");
    const auto before = run(net.graph, context.options.calibration.value());
    CHECK(largest_difference(before, run(equalized, context.options.calibration.value())) <= 1e-4);
    for (size_t i = 0; i < equalized.nodes.size(); ++i) {
      if (!multiplies_by_constants(equalized, equalized.nodes[i])) continue;
      const auto a = net.graph.constant(net.graph.nodes[i].inputs[1]).as<float>(),
                 b = equalized.constant(equalized.nodes[i].inputs[1]).as<float>();
      changed += std::equal(a.begin(), a.end(), b.begin()) ? 0 : 1;
    }
  }
  CHECK(changed >= 10);
}

TEST_CASE("a network spoilt by uneven channels loses no more than the unspoilt one") {
  const Graph whole = separable(INFINITY);
  Graph spoilt = whole;
  rescale(spoilt, 2, 4, 0, 100.0f);
  rescale(spoilt, 2, 4, 1, 0.01f);
  compiler::QuantizePasses without;
  without.equalize = false;
  const double expected = int8_error(whole, {});
  CHECK(int8_error(spoilt, without) > 4 * expected);
  CHECK(int8_error(spoilt, {}) < 1.05 * expected);
}

TEST_CASE("a channel that stays below ReLU6 is scaled up to it, no other") {
  Graph whole = separable(6);
  const std::span<float> w = changeable(whole, whole.nodes[2].inputs[1]).as<float>();
  for (size_t i = 0; i < 9; ++i) w[i] *= 100;  // the first channel is clipped
  for (size_t c : {3, 4, 5, 6}) rescale(whole, 2, 4, c, 0.01f);
  Context context(whole);
  Graph equalized = whole;
  equalize(equalized, context.pass, every_sample(64));
  const auto& samples = context.options.calibration.value();
  CHECK(largest_difference(run(whole, samples), run(equalized, samples)) <= 1e-5);
  const auto before = whole.constant(whole.nodes[2].inputs[1]).as<float>(),
             after = equalized.constant(equalized.nodes[2].inputs[1]).as<float>();
  // The depthwise layer's own inputs are scaled too: its 9 weights of a channel alike.
  const auto factor = [&](size_t c) { return static_cast<double>(after[9 * c] / before[9 * c]); };
  CHECK(factor(3) > 5 * factor(0));
}

// Inputs of the wide layer that are sums of a few numbers: errors of one weight can be made up for by others.
TEST_CASE("weights rounded by output error lose less than the nearest ones") {
  Net net;
  const ValueId x = net.conv(net.input({1, 8, 8, 4}), 64);
  net.graph.outputs = {net.conv(x, 32, 3)};
  compiler::QuantizePasses passes;
  passes.ranges = false;
  const double rounded = int8_error(net.graph, passes);
  passes.round = false;
  CHECK(rounded < 0.95 * int8_error(net.graph, passes));
}

// `count` samples, some with outliers; `swapped`: each in its neighbour's place, and so in the other half.
compiler::SampleSource uneven_samples(const Graph& graph, int count, unsigned seed, bool swapped) {
  compiler::SampleSource source = samples_for(graph, count, seed);
  source.load = [load = source.load, swapped](int index) {
    const int own = swapped ? index ^ 1 : index;
    std::vector<TensorData> sample = load(own);
    if (own % 5 == 0) {
      float first = 0;
      std::memcpy(&first, sample[0].bytes.data(), sizeof first);
      first *= 30;
      std::memcpy(sample[0].bytes.data(), &first, sizeof first);
    }
    return sample;
  };
  return source;
}

// The methods by which the values' ranges are chosen.
std::pair<RangeMethod, std::map<ValueId, RangeMethod>> choice_of_ranges(const Graph& graph, int count,
                                                                        unsigned seed, bool swapped) {
  Graph network = graph;
  Context context(network);
  context.options.calibration = uneven_samples(network, count, seed, swapped);
  context.options.quantize_passes.equalize = false;
  fuse_clamps(network, context.pass);
  const compiler::RangeMethods ranges = prepare_for_int8(network, context.pass).ranges;
  return {ranges.usual, ranges.other};
}

TEST_CASE("of few samples either half judges what the other one tells, of many the second") {
  const Graph graph = separable(INFINITY);
  int few_differ = 0, many_differ = 0;
  for (unsigned seed = 0; seed < 6; ++seed) {
    few_differ += choice_of_ranges(graph, 16, seed, false) != choice_of_ranges(graph, 16, seed, true) ? 1 : 0;
    many_differ +=
        choice_of_ranges(graph, 66, seed, false) != choice_of_ranges(graph, 66, seed, true) ? 1 : 0;
  }
  CHECK(few_differ == 0);
  CHECK(many_differ > 0);
}

}  // namespace
}  // namespace bantam::tests
