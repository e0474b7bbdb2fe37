// Groups found from the graph, and channels taken out of it.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>

#include "net.h"
#include "prune/channels/structure.h"

namespace bantam::tests {
namespace {

// Zeros where the removed units are multiplied: what is left computes the same with and without them.
void mask_readers(Graph& graph, const Structure& structure, const std::vector<bool>& removed) {
  for (Node& node : graph.nodes) {
    if (!has_weights(node.code)) continue;
    const ValueId w = node.inputs[1];
    Tensor weights = graph.constant(w);
    const std::vector<int>& units = structure.along(w, graph.shape(w).size() - 1);
    const std::span<float> data = weights.as<float>();
    for (size_t i = 0; i < data.size(); ++i) {
      const int unit = units[i % units.size()];
      if (unit >= 0 && removed[static_cast<size_t>(unit)]) data[i] = 0;
    }
    graph.value(w).constant = std::make_shared<const Tensor>(std::move(weights));
  }
}

std::vector<bool> some_units(const Structure& structure, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<bool> removed(static_cast<size_t>(structure.units), false);
  for (const ChannelGroup& group : structure.groups) {
    for (size_t i = 1; i < group.units.size(); ++i)
      removed[static_cast<size_t>(group.units[i])] = random() % 2 == 0;
  }
  return removed;
}

TEST_CASE("channels that nothing reads leave without a trace, however they hang together") {
  for (const NamedNet& named : nets()) {
    for (unsigned seed = 1; seed <= 3; ++seed) {
      INFO(named.name << " " << seed);
      Net net;
      named.build(net);
      const Structure structure = find_structure(net.graph);
      REQUIRE(!structure.groups.empty());
      const std::vector<bool> removed = some_units(structure, seed);
      mask_readers(net.graph, structure, removed);
      const compiler::SampleSource samples = samples_for(net.graph, 3);
      const std::vector<float> expected = run(net.graph, samples);
      remove_units(net.graph, structure, removed);
      check_graph(net.graph, named.name);
      CHECK(largest_difference(expected, run(net.graph, samples)) < 1e-5);
    }
  }
}

std::vector<size_t> group_sizes(const char* name) {
  for (const NamedNet& named : nets()) {
    if (std::string(named.name) != name) continue;
    Net net;
    named.build(net);
    std::vector<size_t> sizes;
    for (const ChannelGroup& group : find_structure(net.graph).groups) sizes.push_back(group.units.size());
    std::sort(sizes.begin(), sizes.end());
    return sizes;
  }
  return {};
}

TEST_CASE("groups are as large as the graph allows") {
  using Sizes = std::vector<size_t>;
  CHECK(group_sizes("chain") == Sizes{10, 12});
  CHECK(group_sizes("residual") == Sizes{12, 16});
  CHECK(group_sizes("padded shortcut") == Sizes{8, 8});  // those of the stem, and those beside them
  CHECK(group_sizes("depthwise") == Sizes{8, 12});
  CHECK(group_sizes("grouped") == Sizes{6, 6, 9});  // 12 in two groups, whole groups, 18 in two groups
  CHECK(group_sizes("concat") == Sizes{6, 8, 8, 10});
  CHECK(group_sizes("split") == Sizes{6, 8, 10});
  CHECK(group_sizes("shuffle") == Sizes{6, 8, 12});
  CHECK(group_sizes("flatten") == Sizes{10, 12});
  CHECK(group_sizes("gate") == Sizes{8, 8, 12});
  CHECK(group_sizes("attention") == Sizes{8});  // whole heads
}

TEST_CASE("steps of quantized weights go with their channels") {
  Net net;
  const ValueId x = net.conv(net.input({1, 4, 4, 3}), 4);
  net.output(net.dense(net.global_pool(x), 2));
  const ValueId w = net.graph.nodes[0].inputs[1];
  Tensor weights = net.graph.constant(w);
  weights.steps = std::make_shared<compiler::Steps>(compiler::Steps{{1, 2, 3, 4}, 0});
  net.graph.value(w).constant = std::make_shared<const Tensor>(std::move(weights));
  const Structure structure = find_structure(net.graph);
  std::vector<bool> removed(static_cast<size_t>(structure.units), false);
  removed[static_cast<size_t>(structure.along(w, 0)[1])] = true;
  remove_units(net.graph, structure, removed);
  REQUIRE(net.graph.constant(w).steps != nullptr);
  CHECK(net.graph.constant(w).steps->sizes == std::vector<float>{1, 3, 4});
}

TEST_CASE("what cannot be pruned says why") {
  Net net;
  const ValueId x = net.conv(net.input({1, 4, 4, 3}), 8);
  plan::LayerNormT norm;
  net.output(net.dense(net.add(OpCode::kLayerNorm, {x, net.random({8}), net.random({8})}, norm), 4));
  const Structure structure = find_structure(net.graph);
  CHECK(structure.groups.empty());
  REQUIRE(structure.fixed.size() == 2);
  CHECK(structure.fixed[0].reason.find("LayerNorm") != std::string::npos);
  CHECK(structure.fixed[1].reason == "it is an output of the model");
}

TEST_CASE("layers that share a constant vector are not tied by it") {
  Net net;
  const ValueId zeros = net.random({8});
  ValueId x = net.input({1, 4, 4, 3});
  for (int i = 0; i < 2; ++i)
    x = net.add(OpCode::kConv2d, {x, net.random({8, 1, 1, net.graph.shape(x)[3]}), zeros}, plan::Conv2dT());
  net.output(net.dense(net.global_pool(x), 2));
  CHECK(find_structure(net.graph).groups.size() == 1);
  separate_constants(net.graph);
  CHECK(find_structure(net.graph).groups.size() == 2);
}

}  // namespace
}  // namespace bantam::tests
