// Small networks of random weights, and running them.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"
#include "graph_builder.h"

namespace bantam::tests {

class Net : public GraphBuilder {
 public:
  Net() : GraphBuilder(Layout::kNhwc) {}

  ValueId random(Shape shape, float scale = 1.0f);
  // With a bias; `kernel` x `kernel`, padded so that the size stays.
  ValueId conv(ValueId x, int64_t out, int64_t kernel = 1, int64_t groups = 1);
  ValueId dense(ValueId x, int64_t out);
  ValueId relu(ValueId x) { return clamp(x, 0.0f, INFINITY); }
  ValueId add_values(ValueId a, ValueId b) { return binary(plan::BinaryKind::kAdd, a, b); }
  ValueId global_pool(ValueId x);  // [N, C]
  ValueId concat(std::vector<ValueId> parts, int axis = 3);
  ValueId slice(ValueId x, int64_t first, int64_t count);  // of the channels
  ValueId pad_channels(ValueId x, int before, int after);

 private:
  std::mt19937 random_{1};
};

struct NamedNet {
  const char* name;
  std::function<void(Net&)> build;
};
// One for each way in which channels depend on each other.
const std::vector<NamedNet>& nets();

Tensor& changeable(Graph& graph, ValueId id);  // the constant `id`, which nobody else shares afterwards
// Channel `channel` of what node `from` makes times `factor`, which node `to`, which is not depthwise, makes
// up for.
void rescale(Graph& graph, size_t from, size_t to, size_t channel, float factor);

// `count` random samples for the graph's inputs.
compiler::SampleSource samples_for(const Graph& graph, int count, unsigned seed = 7);
// The first output of each sample.
std::vector<float> run(const Graph& graph, const compiler::SampleSource& samples);
double largest_difference(const std::vector<float>& a,
                          const std::vector<float>& b);  // relative to the largest of a

}  // namespace bantam::tests
