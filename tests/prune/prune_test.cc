// The pass: how much goes, what is left, and what it says when it cannot.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "pass_run.h"
#include "prune/kernel_work.h"
#include "prune/select.h"

namespace bantam::tests {
namespace {

using Catch::Matchers::ContainsSubstring;
using compiler::PruneCriterion;
using compiler::PruneOptions;
using compiler::PruneUnit;

PassRun pass_for(const Graph& graph, PruneOptions prune, int samples = 64) {
  PassRun pass;
  pass.options.prune = prune;
  pass.options.calibration = samples_for(graph, samples);
  return pass;
}

double squared_error(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  return sum;
}

TEST_CASE("every kind of network loses what is asked for, by every criterion") {
  for (const NamedNet& named : nets()) {
    for (const PruneCriterion criterion :
         {PruneCriterion::kError, PruneCriterion::kL1, PruneCriterion::kL2, PruneCriterion::kActivation}) {
      INFO(named.name << " " << static_cast<int>(criterion));
      Net net;
      named.build(net);
      const double before = count_macs(net.graph);
      pass_for(net.graph, {.ratio = 0.3, .criterion = criterion, .tile = 1}, 8)(net.graph);
      CHECK(count_macs(net.graph) <= 0.7 * before);
      CHECK(count_macs(net.graph) > 0.3 * before);
    }
  }
}

TEST_CASE("shares of parameters and of channels are kept, too, everywhere or in each layer") {
  for (const PruneUnit unit : {PruneUnit::kMacs, PruneUnit::kParams, PruneUnit::kChannels}) {
    for (const bool per_layer : {false, true}) {
      Net net;
      nets()[0].build(net);
      const double params = count_params(net.graph);
      pass_for(net.graph, {.ratio = 0.4, .unit = unit, .per_layer = per_layer, .tile = 1}, 8)(net.graph);
      if (unit == PruneUnit::kParams) CHECK(count_params(net.graph) <= 0.6 * params);
      const int64_t left =
          net.graph.nodes[0].attributes.index() > 0 ? net.graph.shape(net.graph.nodes[0].outputs[0])[3] : 0;
      if (per_layer && unit == PruneUnit::kChannels) CHECK(left == 7);  // of 12
    }
  }
}

TEST_CASE("channels left are a multiple of the tile") {
  Net net;
  net.output(net.dense(
      net.global_pool(net.relu(net.conv(net.relu(net.conv(net.input({1, 6, 6, 3}), 64, 3)), 48, 3))), 5));
  pass_for(net.graph, {.ratio = 0.5, .tile = 16}, 8)(net.graph);
  for (const Node& node : net.graph.nodes) {
    if (node.code == OpCode::kConv2d) CHECK(net.graph.shape(node.outputs[0])[3] % 16 == 0);
  }
}

double total_work(const Graph& graph) {
  double sum = 0;
  for (const Node& node : graph.nodes) sum += compiler::kernel_work(graph, node);
  return sum;
}

TEST_CASE("kernels work in whole tiles of channels, and for each output") {
  const auto work = [](int64_t channels) {
    Net net;
    net.output(net.conv(net.input({1, 6, 6, 8}), channels, 3));
    return compiler::kernel_work(net.graph, net.graph.nodes[0]);
  };
  CHECK(work(1) == work(16));
  CHECK(work(17) == 2 * work(16));
  Net wide;
  wide.output(wide.conv(wide.input({1, 6, 6, 16}), 16, 3));
  const double twice_the_macs = compiler::kernel_work(wide.graph, wide.graph.nodes[0]);
  CHECK(twice_the_macs > work(16));
  CHECK(twice_the_macs < 2 * work(16));
}

TEST_CASE("channels that are taken for time save more of the kernels' work") {
  std::vector<double> left;
  for (const bool for_time : {false, true}) {
    Net net;
    ValueId x = net.relu(net.conv(net.input({1, 12, 12, 3}), 12, 3));
    x = net.relu(net.conv(net.relu(net.conv(x, 64, 3)), 12, 3));
    net.output(net.dense(net.global_pool(net.relu(net.conv(x, 64, 3))), 5));
    const double before = count_macs(net.graph);
    pass_for(net.graph, {.ratio = 0.3, .criterion = PruneCriterion::kL2, .for_time = for_time}, 8)(net.graph);
    CHECK(count_macs(net.graph) <= 0.7 * before);
    left.push_back(total_work(net.graph));
  }
  CHECK(left[1] < 0.95 * left[0]);
}

TEST_CASE("solving again brings the outputs back") {
  for (const char* name : {"chain", "residual", "depthwise"}) {
    INFO(name);
    std::vector<double> errors;
    for (const bool reconstruct : {false, true}) {
      Net net;
      for (const NamedNet& named : nets()) {
        if (std::string(named.name) == name) named.build(net);
      }
      const compiler::SampleSource fresh = samples_for(net.graph, 40, 99);
      const std::vector<float> expected = run(net.graph, fresh);
      pass_for(net.graph, {.ratio = 0.3, .reconstruct = reconstruct, .tile = 1}, 200)(net.graph);
      errors.push_back(squared_error(expected, run(net.graph, fresh)));
    }
    CHECK(errors[1] < 0.5 * errors[0]);
  }
}

// Channels that are sums of others can go without any loss, once their readers are solved again.
TEST_CASE("the error criterion finds channels that others can stand in for") {
  Net net;
  const ValueId x = net.conv(net.input({1, 6, 6, 3}), 8);
  net.output(net.dense(net.global_pool(net.conv(x, 6)), 5));  // eight linear channels of three inputs
  const compiler::SampleSource fresh = samples_for(net.graph, 10, 99);
  const std::vector<float> expected = run(net.graph, fresh);
  pass_for(net.graph, {.ratio = 0.45, .unit = PruneUnit::kChannels, .tile = 1}, 64)(net.graph);
  CHECK(largest_difference(expected, run(net.graph, fresh)) < 0.05);
}

// Forty samples say nothing of 96 pooled channels that they cannot say by heart.
TEST_CASE("a wide layer behind a global pool is not emptied because few samples seem to need it") {
  Net net;
  const ValueId x = net.relu(net.conv(net.relu(net.conv(net.input({1, 6, 6, 3}), 16, 3)), 96));
  net.output(net.dense(net.global_pool(x), 5));
  const compiler::SampleSource fresh = samples_for(net.graph, 40, 99);
  const std::vector<float> expected = run(net.graph, fresh);
  pass_for(net.graph, {.ratio = 0.3, .tile = 1}, 40)(net.graph);
  CHECK(net.graph.shape(x)[3] > 24);
  double mean = 0, variance = 0;
  for (const float y : expected) mean += static_cast<double>(y) / static_cast<double>(expected.size());
  for (const float y : expected)
    variance += (static_cast<double>(y) - mean) * (static_cast<double>(y) - mean);
  CHECK(squared_error(expected, run(net.graph, fresh)) < 0.1 * variance);
}

// A whole stream of channels saves far more in a step than the layers between.
TEST_CASE("no more goes than was asked for, as far as the steps allow") {
  for (const double ratio : {0.1, 0.2, 0.3, 0.4, 0.5}) {
    INFO(ratio);
    Net net;
    ValueId x = net.relu(net.conv(net.input({1, 6, 6, 3}), 16, 3));
    for (int i = 0; i < 6; ++i)
      x = net.relu(net.add_values(x, net.conv(net.relu(net.conv(x, 16, 3)), 16, 3)));
    net.output(net.dense(net.global_pool(x), 5));
    const double before = count_macs(net.graph);
    const double finest = 2.0 / 16 * (36 * 16 * 16 * 9 * 2) / before;  // two channels between two layers
    pass_for(net.graph, {.ratio = ratio, .tile = 2}, 16)(net.graph);
    const double share = 1 - count_macs(net.graph) / before;
    CHECK(share >= ratio);
    CHECK(share < ratio + finest);
  }
}

// No layer with weights reads them: removing them looks as if it cost nothing.
TEST_CASE("queries and keys of a single head stay whole when channels go by the error of their readers") {
  Net net;
  const ValueId tokens = net.dense(net.input({1, 7, 16}), 24);
  plan::MatMulT transposed;
  transposed.transpose_b = true;
  const ValueId query = net.dense(tokens, 8);
  const ValueId scores = net.add(OpCode::kMatMul, {query, net.dense(tokens, 8)}, transposed);
  plan::SoftmaxT softmax;
  softmax.axis = 2;
  const ValueId shares = net.add(OpCode::kSoftmax, {scores}, softmax);
  const ValueId values = net.dense(tokens, 12);
  net.output(net.dense(net.add(OpCode::kMatMul, {shares, values}, plan::MatMulT()), 5));
  pass_for(net.graph, {.ratio = 0.3, .tile = 1}, 16)(net.graph);
  CHECK(net.graph.shape(query)[2] == 8);
  CHECK(std::any_of(net.graph.notes.begin(), net.graph.notes.end(), [](const plan::NoteT& note) {
    return note.text.find("does not say what they are worth") != std::string::npos;
  }));
  CHECK(net.graph.shape(tokens)[2] < 24);
}

TEST_CASE("the same samples give the same network, whatever the number of threads") {
  std::vector<std::vector<float>> outputs;
  for (const int threads : {1, 2, 3}) {
    Net net;
    nets()[1].build(net);
    PassRun pass = pass_for(net.graph, {.ratio = 0.3, .tile = 1}, 30);
    pass.options.threads = threads;
    pass(net.graph);
    outputs.push_back(run(net.graph, samples_for(net.graph, 5, 99)));
  }
  CHECK(outputs[0] == outputs[1]);
  CHECK(outputs[0] == outputs[2]);
}

std::string complaint(Net& net, const PassRun& pass) {
  PassRun copy = pass;
  try {
    copy(net.graph);
  } catch (const CompileError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("what cannot be done is said in one line") {
  Net net;
  nets()[0].build(net);
  CHECK_THAT(complaint(net, pass_for(net.graph, {.ratio = 0.99})), ContainsSubstring("without channels"));
  CHECK_THAT(complaint(net, pass_for(net.graph, {.ratio = 1.5})), ContainsSubstring("between 0 and 100"));
  CHECK_THAT(complaint(net, pass_for(net.graph, {.ratio = 0.3, .criterion = PruneCriterion::kBatchNorm})),
             ContainsSubstring("BatchNormalization"));
  PassRun none;
  none.options.prune = PruneOptions{.ratio = 0.3};
  CHECK_THAT(complaint(net, none), ContainsSubstring("--calibrate"));
  Net fixed;
  fixed.output(fixed.conv(fixed.input({1, 4, 4, 3}), 8));
  CHECK_THAT(complaint(fixed, pass_for(fixed.graph, {.ratio = 0.3})),
             ContainsSubstring("output of the model"));
}

TEST_CASE("too few samples are said to be few, and do no harm") {
  Net net;
  nets()[8].build(net);
  PassRun pass = pass_for(net.graph, {.ratio = 0.3, .tile = 1}, 2);
  pass(net.graph);
  REQUIRE(pass.warnings.size() == 1);
  CHECK_THAT(pass.warnings[0], ContainsSubstring("2 samples are few"));
  for (const float x : run(net.graph, samples_for(net.graph, 2, 99))) CHECK(std::isfinite(x));
}

}  // namespace
}  // namespace bantam::tests
