#include <cmath>

#include "reference/node.h"

namespace bantam::tests {
namespace {

Array batch_norm(const Node& node) {
  const double epsilon = node.f("epsilon", 1e-5f);
  return make(node.in(0).shape, [&](const Index& at) {
    const Index c = {at[1]};
    const double scale = node.in(1).at(c), bias = node.in(2).at(c), mean = node.in(3).at(c),
                 variance = node.in(4).at(c);
    return (node.in(0).at(at) - mean) / std::sqrt(variance + epsilon) * scale + bias;
  });
}

// Each block of `size` neighbouring elements to mean 0 and variance 1.
Array standardize(const Array& x, int64_t size, double epsilon) {
  Array y = x;
  const size_t block = static_cast<size_t>(size);
  for (size_t start = 0; start < y.values.size(); start += block) {
    double mean = 0, variance = 0;
    for (size_t i = start; i < start + block; ++i) mean += x.values[i] / static_cast<double>(size);
    for (size_t i = start; i < start + block; ++i)
      variance += std::pow(x.values[i] - mean, 2) / static_cast<double>(size);
    for (size_t i = start; i < start + block; ++i)
      y.values[i] = (x.values[i] - mean) / std::sqrt(variance + epsilon);
  }
  return y;
}

Array instance_norm(const Node& node) {
  const Array& x = node.in(0);
  const Array normal = standardize(x, count(x.shape) / (x.shape[0] * x.shape[1]), node.f("epsilon", 1e-5f));
  return make(x.shape, [&](const Index& at) {
    return normal.at(at) * node.in(1).at({at[1]}) + node.in(2).at({at[1]});
  });
}

Array layer_norm(const Node& node) {
  const Array& x = node.in(0);
  const auto axis = static_cast<std::ptrdiff_t>(wrap(node.i("axis", -1), x.rank()));
  const Array normal =
      standardize(x, count(Index(x.shape.begin() + axis, x.shape.end())), node.f("epsilon", 1e-5f));
  return make(x.shape, [&](const Index& at) {
    return normal.at(at) * at_broadcast(node.in(1), at) + (node.has_in(2) ? at_broadcast(node.in(2), at) : 0);
  });
}

// Over one axis; before opset 13 over all axes from the given one.
Array softmax(const Node& node, bool log) {
  const Array& x = node.in(0);
  const int64_t axis = wrap(node.i("axis", node.opset < 13 ? 1 : -1), x.rank());
  Index group = x.shape;  // of the sums
  for (int64_t a = axis; a < (node.opset < 13 ? x.rank() : axis + 1); ++a) group[static_cast<size_t>(a)] = 1;
  Array sums = make(group, [](const Index&) { return 0; });
  for_each_index(x.shape, [&](const Index& at) {
    Index own = at;
    for (size_t a = 0; a < own.size(); ++a) own[a] = group[a] == 1 ? 0 : own[a];
    sums.at(own) += std::exp(x.at(at));
  });
  return make(x.shape, [&](const Index& at) {
    const double total = at_broadcast(sums, at);
    return log ? x.at(at) - std::log(total) : std::exp(x.at(at)) / total;
  });
}

}  // namespace

Outputs run_normalization(const Node& node) {
  const std::string& type = node.proto.op_type();
  if (type == "BatchNormalization") return {batch_norm(node)};
  if (type == "InstanceNormalization") return {instance_norm(node)};
  if (type == "LayerNormalization") return {layer_norm(node)};
  if (type == "Softmax") return {softmax(node, false)};
  if (type == "LogSoftmax") return {softmax(node, true)};
  return {};
}

}  // namespace bantam::tests
