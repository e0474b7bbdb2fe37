// Models that another tool pruned by zeros.
#include <catch2/catch_test_macros.hpp>

#include "net.h"
#include "prune/channels/structure.h"

namespace bantam::tests {
namespace {

// Zeros in every layer that makes the channels, its bias too if `biases`.
void mask_producers(Graph& graph, const Structure& structure, bool biases) {
  for (Node& node : graph.nodes) {
    if (!has_weights(node.code)) continue;
    for (size_t input = 1; input < (biases ? node.inputs.size() : 2); ++input) {
      const ValueId id = node.inputs[input];
      Tensor tensor = graph.constant(id);
      const std::vector<int>& units = structure.along(id, 0);
      const std::span<float> data = tensor.as<float>();
      for (size_t i = 0; i < data.size(); ++i) {
        const int unit = units[i / (data.size() / units.size())];
        if (unit >= 0 && unit % 3 == 1) data[i] = 0;
      }
      graph.value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
    }
  }
}

int64_t channels_of_layers(const Graph& graph) {
  int64_t sum = 0;
  for (const Node& node : graph.nodes) sum += has_weights(node.code) ? graph.shape(node.inputs[1])[0] : 0;
  return sum;
}

TEST_CASE("channels of zeros go, and the outputs stay") {
  for (const NamedNet& named : nets()) {
    if (std::string(named.name) == "attention") continue;  // softmax makes something of zeros
    INFO(named.name);
    Net net;
    named.build(net);
    const Structure structure = find_structure(net.graph);
    mask_producers(net.graph, structure, true);
    const compiler::SampleSource samples = samples_for(net.graph, 3);
    const std::vector<float> expected = run(net.graph, samples);
    net.run(drop_dead_channels);
    CHECK(largest_difference(expected, run(net.graph, samples)) < 1e-5);
    const int units = find_structure(net.graph).units;
    CHECK(units <= structure.units - structure.units / 3 + static_cast<int>(structure.groups.size()));
    CHECK(units < structure.units);
    CHECK(!net.graph.notes.empty());
  }
}

TEST_CASE("constants that a bias leaves go into the readers that do not pad") {
  Net net;
  const ValueId x = net.relu(net.conv(net.input({1, 6, 6, 3}), 12));
  net.output(net.dense(net.global_pool(net.conv(x, 8)), 5));
  mask_producers(net.graph, find_structure(net.graph), false);
  const compiler::SampleSource samples = samples_for(net.graph, 3);
  const std::vector<float> expected = run(net.graph, samples);
  net.run(drop_dead_channels);
  CHECK(largest_difference(expected, run(net.graph, samples)) < 1e-5);
  CHECK(net.graph.shape(x)[3] == 8);
}

TEST_CASE("constants under padding stay: the border would differ") {
  Net net;
  const ValueId x = net.conv(net.input({1, 6, 6, 3}), 12);
  net.output(net.dense(net.global_pool(net.conv(x, 8, 3)), 5));
  mask_producers(net.graph, find_structure(net.graph), false);
  const compiler::SampleSource samples = samples_for(net.graph, 3);
  const std::vector<float> expected = run(net.graph, samples);
  net.run(drop_dead_channels);
  CHECK(largest_difference(expected, run(net.graph, samples)) < 1e-5);
  CHECK(net.graph.shape(x)[3] == 12);
}

TEST_CASE("channels that nobody reads go with what made them") {
  Net net;
  const ValueId x = net.relu(net.conv(net.relu(net.conv(net.input({1, 6, 6, 3}), 9, 3)), 12, 3));
  net.output(net.dense(net.global_pool(x), 5));
  Tensor weights = net.graph.constant(net.graph.nodes.back().inputs[1]);
  for (size_t i = 0; i < 60; i += 12) weights.as<float>()[i] = 0;  // channel 0 of 12, in all five outputs
  net.graph.value(net.graph.nodes.back().inputs[1]).constant =
      std::make_shared<const Tensor>(std::move(weights));
  const compiler::SampleSource samples = samples_for(net.graph, 3);
  const std::vector<float> expected = run(net.graph, samples);
  net.run(drop_dead_channels);
  CHECK(net.graph.shape(x)[3] == 11);
  CHECK(largest_difference(expected, run(net.graph, samples)) < 1e-5);
}

TEST_CASE("a layer of nothing but zeros keeps one channel") {
  Net net;
  const ValueId x = net.conv(net.input({1, 6, 6, 3}), 9, 3);
  net.output(net.dense(net.global_pool(x), 5));
  for (size_t input : {1, 2}) {
    const ValueId id = net.graph.nodes[0].inputs[input];
    net.graph.value(id).constant = std::make_shared<const Tensor>(Tensor(net.graph.value(id).type));
  }
  net.run(drop_dead_channels);
  CHECK(net.graph.shape(x)[3] == 1);
}

TEST_CASE("a model without zeros is left as it is") {
  Net net;
  nets()[1].build(net);
  const int64_t before = channels_of_layers(net.graph);
  net.run(drop_dead_channels);
  CHECK(channels_of_layers(net.graph) == before);
  CHECK(net.graph.notes.empty());
}

}  // namespace
}  // namespace bantam::tests
