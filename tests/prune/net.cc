#include "net.h"

#include <algorithm>
#include <cmath>

#include "emit/plan_writer.h"
#include "engine/plan_runner.h"

namespace bantam::tests {

ValueId Net::random(Shape shape, float scale) {
  std::normal_distribution<float> normal(0.0f, scale);
  Tensor tensor(TensorType{DType::kFloat32, std::move(shape)});
  for (float& x : tensor.as<float>()) x = normal(random_);
  return graph.add_constant("constant", std::move(tensor));
}

ValueId Net::conv(ValueId x, int64_t out, int64_t kernel, int64_t groups) {
  plan::Conv2dT conv;
  conv.groups = static_cast<int32_t>(groups);
  conv.pad_top = conv.pad_bottom = conv.pad_left = conv.pad_right = static_cast<int32_t>(kernel / 2);
  const int64_t in = graph.shape(x)[3] / groups;
  const float scale = 1.0f / std::sqrt(static_cast<float>(in * kernel * kernel));
  return add(OpCode::kConv2d, {x, random({out, kernel, kernel, in}, scale), random({out}, 0.1f)},
             std::move(conv));
}

ValueId Net::dense(ValueId x, int64_t out) {
  const int64_t in = graph.shape(x).back();
  return add(OpCode::kFullyConnected,
             {x, random({out, in}, 1.0f / std::sqrt(static_cast<float>(in))), random({out}, 0.1f)},
             plan::FullyConnectedT());
}

ValueId Net::global_pool(ValueId x) {
  plan::ReduceT mean;
  mean.kind = plan::ReduceKind::kMean;
  mean.axes = {1, 2};
  mean.keep_dims = false;
  return add(OpCode::kReduce, {x}, mean);
}

ValueId Net::concat(std::vector<ValueId> parts, int axis) {
  plan::ConcatT attributes;
  attributes.axis = axis;
  return add(OpCode::kConcat, std::move(parts), attributes);
}

ValueId Net::slice(ValueId x, int64_t first, int64_t count) {
  plan::SliceT attributes;
  Shape shape = graph.shape(x);
  attributes.starts.assign(shape.size(), 0);
  attributes.steps.assign(shape.size(), 1);
  attributes.starts.back() = static_cast<int32_t>(first);
  shape.back() = count;
  return add(OpCode::kSlice, {x}, attributes, TensorType{DType::kFloat32, shape});
}

ValueId Net::pad_channels(ValueId x, int before, int after) {
  plan::PadT attributes;
  attributes.before = {0, 0, 0, before};
  attributes.after = {0, 0, 0, after};
  return add(OpCode::kPad, {x}, attributes);
}

namespace {

ValueId image(Net& net) { return net.input({1, 6, 6, 3}); }

void classify(Net& net, ValueId x) { net.output(net.dense(net.global_pool(x), 5)); }

void chain(Net& net) { classify(net, net.relu(net.conv(net.relu(net.conv(image(net), 12, 3)), 10, 3))); }

void residual(Net& net) {
  const ValueId stem = net.relu(net.conv(image(net), 12, 3));
  const ValueId inner = net.relu(net.conv(stem, 16, 3));
  classify(net, net.relu(net.add_values(stem, net.conv(inner, 12, 3))));
}

void padded_shortcut(Net& net) {
  const ValueId stem = net.relu(net.conv(image(net), 8, 3));
  classify(net, net.relu(net.add_values(net.pad_channels(stem, 4, 4), net.conv(stem, 16, 3))));
}

void depthwise(Net& net) {
  const ValueId wide = net.relu(net.conv(image(net), 12));
  classify(net, net.conv(net.relu(net.conv(wide, 24, 3, 12)), 8));  // two outputs per channel
}

void grouped(Net& net) {  // fewer groups than channels in each, and more
  const ValueId x = net.relu(net.conv(net.relu(net.conv(image(net), 12, 3)), 18, 3, 2));
  classify(net, net.relu(net.conv(net.relu(net.conv(x, 12)), 12, 3, 6)));
}

void concatenated(Net& net) {
  const ValueId stem = net.relu(net.conv(image(net), 8, 3));
  classify(net, net.conv(net.concat({stem, net.conv(stem, 6), net.relu(net.conv(stem, 10))}), 8));
}

void split(Net& net) {
  const ValueId x = net.conv(image(net), 16, 3);
  const ValueId left = net.slice(x, 0, 6);
  const ValueId right = net.relu(net.conv(net.slice(x, 6, 10), 8));
  classify(net, net.concat({left, right}));
}

void shuffled(Net& net) {
  const ValueId x = net.relu(net.conv(image(net), 24, 3));
  const ValueId parts = net.reshape(x, {1, 6, 6, 2, 12});
  const ValueId swapped = net.reshape(net.transpose(parts, {0, 1, 2, 4, 3}), {1, 6, 6, 24});
  classify(net, net.conv(net.conv(swapped, 24, 3, 2), 8));
}

void flattened(Net& net) {
  const ValueId x = net.relu(net.conv(image(net), 10, 3));
  const ValueId planar = net.transpose(x, {0, 3, 1, 2});
  net.output(net.dense(net.relu(net.dense(net.reshape(planar, {1, 360}), 12)), 5));
}

void gated(Net& net) {  // squeeze and excitation
  const ValueId x = net.relu(net.conv(image(net), 12, 3));
  const ValueId mean = net.reshape(net.global_pool(x), {1, 1, 1, 12});
  const ValueId gate = net.conv(net.relu(net.conv(mean, 8)), 12);
  classify(net, net.conv(net.binary(plan::BinaryKind::kMul, x, gate), 8));
}

ValueId heads(Net& net, ValueId tokens) {
  return net.transpose(net.reshape(net.dense(tokens, 32), {1, 7, 8, 4}), {0, 2, 1, 3});
}

void attention(Net& net) {
  const ValueId tokens = net.input({1, 7, 16});
  plan::MatMulT transposed;
  transposed.transpose_b = true;
  const ValueId query = heads(net, tokens);
  const ValueId scores = net.add(OpCode::kMatMul, {query, heads(net, tokens)}, transposed);
  plan::SoftmaxT softmax;
  softmax.axis = 3;
  const ValueId shares = net.add(OpCode::kSoftmax, {scores}, softmax);
  const ValueId mixed = net.add(OpCode::kMatMul, {shares, heads(net, tokens)}, plan::MatMulT());
  net.output(net.dense(net.reshape(net.transpose(mixed, {0, 2, 1, 3}), {1, 7, 32}), 16));
}

}  // namespace

const std::vector<NamedNet>& nets() {
  static const std::vector<NamedNet> kNets = {
      {"chain", chain},         {"residual", residual},   {"padded shortcut", padded_shortcut},
      {"depthwise", depthwise}, {"grouped", grouped},     {"concat", concatenated},
      {"split", split},         {"shuffle", shuffled},    {"flatten", flattened},
      {"gate", gated},          {"attention", attention},
  };
  return kNets;
}

compiler::SampleSource samples_for(const Graph& graph, int count, unsigned seed) {
  compiler::SampleSource source;
  source.count = count;
  source.description = "noise";
  std::vector<TensorType> types;
  for (ValueId id : graph.inputs) types.push_back(graph.value(id).type);
  source.load = [types, seed](int index) {
    std::mt19937 random(seed + static_cast<unsigned>(index) * 1000);
    std::normal_distribution<float> normal;
    std::vector<compiler::TensorData> sample;
    for (const TensorType& type : types) {
      Tensor tensor(type);
      for (float& x : tensor.as<float>()) x = normal(random);
      sample.push_back({type.dtype, type.shape, std::move(tensor.bytes)});
    }
    return sample;
  };
  return source;
}

std::vector<float> run(const Graph& graph, const compiler::SampleSource& samples) {
  const std::unique_ptr<compiler::PlanRunner> runner =
      tools::plan_runner_factory()(write_plan(graph, EmitOptions{}));
  std::vector<float> outputs;
  for (int i = 0; i < samples.count; ++i) {
    const compiler::TensorData output = runner->run(samples.load(i), {}).at(0);
    const auto* data = reinterpret_cast<const float*>(output.bytes.data());
    outputs.insert(outputs.end(), data, data + output.bytes.size() / sizeof(float));
  }
  return outputs;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0, difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(a[i])));
    difference = std::max(difference, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return difference / std::max(largest, 1e-30);
}

Tensor& changeable(Graph& graph, ValueId id) {
  auto copy = std::make_shared<Tensor>(graph.constant(id));
  Tensor& tensor = *copy;
  graph.value(id).constant = std::move(copy);
  return tensor;
}

void rescale(Graph& graph, size_t from, size_t to, size_t channel, float factor) {
  const std::span<float> made = changeable(graph, graph.nodes[from].inputs[1]).as<float>();
  const std::span<float> bias = changeable(graph, graph.nodes[from].inputs[2]).as<float>();
  const size_t row = made.size() / bias.size();
  for (size_t i = 0; i < row; ++i) made[channel * row + i] *= factor;
  bias[channel] *= factor;
  const std::span<float> read = changeable(graph, graph.nodes[to].inputs[1]).as<float>();
  for (size_t i = channel; i < read.size(); i += bias.size()) read[i] /= factor;
}

}  // namespace bantam::tests
