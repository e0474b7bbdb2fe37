#include "tune/output_error.h"

#include <algorithm>
#include <cmath>

namespace bantam::compiler {
namespace {

constexpr size_t kMostNumbers = size_t{1} << 16;  // compared per output and sample

}  // namespace

std::vector<ValueId> compared_values(const Graph& graph) {
  const Uses uses(graph);
  std::vector<ValueId> values;
  for (ValueId id : graph.outputs) {
    const int producer = uses.producer[static_cast<size_t>(id)];
    const bool softmax = producer >= 0 && graph.nodes[static_cast<size_t>(producer)].code == OpCode::kSoftmax;
    const ValueId value = softmax ? graph.nodes[static_cast<size_t>(producer)].inputs[0] : id;
    if (graph.dtype(value) == DType::kFloat32 && !graph.is_constant(value)) values.push_back(value);
  }
  return values;
}

Outputs outputs_of(const std::vector<ValueId>& values, size_t samples,
                   const std::function<void(const Observer&)>& run) {
  Outputs outputs(values.size(), std::vector<std::vector<float>>(samples));
  run([&](int sample, ValueId id, std::span<const float> data) {
    std::vector<float> kept;
    const size_t step = (data.size() + kMostNumbers - 1) / kMostNumbers;
    for (size_t i = 0; i < data.size(); i += step) kept.push_back(data[i]);
    for (size_t v = 0; v < values.size(); ++v) {
      if (values[v] == id) outputs[v][static_cast<size_t>(sample)] = kept;
    }
  });
  return outputs;
}

double relative_error(const Outputs& expected, const Outputs& actual) {
  double total = 0;
  for (size_t v = 0; v < expected.size(); ++v) {
    double sum = 0, squares = 0, errors = 0, count = 0;
    for (size_t s = 0; s < expected[v].size(); ++s) {
      for (size_t i = 0; i < expected[v][s].size(); ++i) {
        const double x = static_cast<double>(expected[v][s][i]);
        const double error = static_cast<double>(actual[v][s][i]) - x;
        sum += x;
        squares += x * x;
        errors += error * error;
        ++count;
      }
    }
    const double variance = squares / count - sum / count * (sum / count);
    total += errors / count / std::max(variance, 1e-12);
  }
  return std::isfinite(total) ? total : 1e12;
}

}  // namespace bantam::compiler
