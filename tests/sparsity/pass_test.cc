// The pass: how much becomes zero, what it costs, and what it says when it cannot.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "engine/plan_runner.h"
#include "net.h"
#include "sparsity/layers.h"
#include "sparsity/remove_weights.h"

namespace bantam::tests {
namespace {

using Catch::Matchers::ContainsSubstring;
using compiler::SparsityCriterion;
using compiler::SparsityOptions;

struct Context {
  explicit Context(const Graph& graph, SparsityOptions sparsity, int samples = 64) {
    options.sparsity = sparsity;
    if (samples > 0) options.calibration = samples_for(graph, samples);
  }

  CompileOptions options;
  std::vector<std::string> warnings;
  Evaluator evaluate = [](const Graph&, const Node&) { return std::vector<Tensor>(); };
  compiler::PlanRunnerFactory runner = tools::plan_runner_factory();
  PassContext pass{options, evaluate, runner, warnings, {}, {}, {}};
};

// Of the weights that may become zero.
double share_of_zeros(const Graph& graph) {
  double zeros = 0, all = 0;
  for (const compiler::SparseLayer& layer : compiler::find_sparse_layers(graph)) {
    zeros += static_cast<double>(compiler::count_zeros(compiler::weights_of(graph, layer)));
    all += static_cast<double>(layer.weights());
  }
  return zeros / all;
}

double squared_error(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - double{b[i]}, 2);
  return sum;
}

Graph wide_net() {
  Net net;
  ValueId x = net.relu(net.conv(net.input({1, 8, 8, 4}), 24, 3));
  const ValueId skip = net.relu(net.conv(x, 24, 3));
  x = net.add_values(skip, net.conv(net.relu(net.conv(skip, 48)), 24));
  net.graph.outputs = {net.dense(net.global_pool(net.relu(x)), 10)};
  return std::move(net.graph);
}

TEST_CASE("every kind of network gets the zeros that are asked for, by either criterion") {
  for (const NamedNet& named : nets()) {
    for (const SparsityCriterion criterion :
         {SparsityCriterion::kMagnitude, SparsityCriterion::kSecondOrder}) {
      for (const double share : {0.3, 0.8}) {
        INFO(named.name << " " << static_cast<int>(criterion) << " " << share);
        Net net;
        named.build(net);
        Context context(net.graph, {share, criterion}, 8);
        sparsify(net.graph, context.pass);
        check_graph(net.graph, "sparsify");
        CHECK(std::abs(share_of_zeros(net.graph) - share) < 0.02);
      }
    }
  }
}

TEST_CASE("weights that are left make up for those that went") {
  const Graph whole = wide_net();
  const compiler::SampleSource fresh = samples_for(whole, 64, 99);
  const std::vector<float> expected = run(whole, fresh);
  double errors[2];
  for (const SparsityCriterion criterion : {SparsityCriterion::kMagnitude, SparsityCriterion::kSecondOrder}) {
    Graph sparse = whole;
    Context context(whole, {0.6, criterion}, 256);
    sparsify(sparse, context.pass);
    errors[static_cast<int>(criterion)] = squared_error(expected, run(sparse, fresh));
  }
  INFO("magnitude " << errors[0] << ", second order " << errors[1]);
  CHECK(errors[1] < 0.6 * errors[0]);
}

TEST_CASE("zeros stay zeros when weights are rounded to int8") {
  Graph graph = wide_net();
  Context context(graph, {0.6, SparsityCriterion::kSecondOrder});
  context.options.precision = compiler::Precision::kInt8;
  fuse_clamps(graph, context.pass);
  sparsify(graph, context.pass);
  const double before = share_of_zeros(graph);
  quantize(graph, context.pass);
  double zeros = 0, all = 0;
  for (const Node& node : graph.nodes) {
    if (node.code != OpCode::kConv2d && node.code != OpCode::kFullyConnected) continue;
    REQUIRE(graph.dtype(node.inputs[1]) == DType::kInt8);
    for (const int8_t w : graph.constant(node.inputs[1]).as<int8_t>()) zeros += w == 0 ? 1 : 0;
    all += static_cast<double>(graph.constant(node.inputs[1]).elements());
  }
  CHECK(zeros / all >= before);
}

TEST_CASE("a layer of few and dependent inputs is solved all the same") {
  compiler::RowMatrix rows = compiler::RowMatrix::Random(20, 4) * compiler::RowMatrix::Random(4, 90);
  const compiler::RowMatrix weights = compiler::RowMatrix::Random(6, 90);
  const CompileOptions options;
  // 45 columns to a block: the second one makes up for the first.
  const compiler::SecondOrder layer(rows, compiler::blocks_of(9, 10, 10, 0, 45), 0.01f, options);
  REQUIRE(layer.sound());
  for (const int64_t count : {0, 1, 270, 500, 540}) {
    const compiler::RowMatrix sparse = layer.remove(weights, count);
    CHECK(sparse.allFinite());
    CHECK(compiler::count_zeros(sparse) == count);
    const double left = (rows * (sparse - weights).transpose()).squaredNorm();
    const double least =
        (rows * (compiler::without_least(weights, count) - weights).transpose()).squaredNorm();
    CHECK(left <= least * 1.001 + 1e-6);
  }
}

TEST_CASE("depthwise layers stay as they are") {
  Net net;
  const ValueId x = net.conv(net.conv(net.input({1, 6, 6, 8}), 8, 3, 8), 8);
  net.graph.outputs = {net.dense(net.global_pool(x), 10)};
  const std::vector<std::byte> before = net.graph.constant(net.graph.nodes[0].inputs[1]).bytes;
  Context context(net.graph, {0.5, SparsityCriterion::kSecondOrder});
  sparsify(net.graph, context.pass);
  CHECK(net.graph.constant(net.graph.nodes[0].inputs[1]).bytes == before);
  CHECK_THAT(context.pass.sparsity_summary, ContainsSubstring("50.0 % of 144 weights in 2 layers are zero"));
}

TEST_CASE("what cannot be done is said") {
  const auto problem = [](Graph graph, SparsityOptions options, int samples) {
    Context context(graph, options, samples);
    try {
      sparsify(graph, context.pass);
    } catch (const compiler::CompileError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const double share : {0.0, 1.0, -0.5, 1.5, std::nan("")})
    CHECK_THAT(problem(wide_net(), {share, {}}, 8), ContainsSubstring("the share must lie between 0 and 1"));
  CHECK_THAT(problem(wide_net(), {0.5, SparsityCriterion::kSecondOrder}, 0),
             ContainsSubstring("--calibrate"));
  Net net;
  net.graph.outputs = {net.relu(net.input({1, 4, 4, 2}))};
  CHECK_THAT(problem(net.graph, {0.5, {}}, 8), ContainsSubstring("has no convolution"));
  Graph graph = wide_net();
  Context context(graph, {0.5, {}}, 0);
  sparsify(graph, context.pass);
  REQUIRE(context.warnings.size() == 1);
  CHECK_THAT(context.warnings[0], ContainsSubstring("without --calibrate"));
}

}  // namespace
}  // namespace bantam::tests
