#include "quantize/weights.h"

#include <algorithm>
#include <cmath>

namespace bantam::compiler {
namespace {

constexpr float kLargestBias = 0x1p30f;      // leaves as much again for the products
constexpr float kSmallestFactor = 0x1p-31f;  // XNNPACK accepts [2^-32, 256)
constexpr float kLargestFactor = 128.0f;

float channel_scale(std::span<const float> weights, float bias, float input_scale, float output_scale) {
  float largest = 0;
  for (float w : weights) largest = std::max(largest, std::fabs(w));
  float scale = largest / 127.0f;
  scale = std::max(scale, std::fabs(bias) / (kLargestBias * input_scale));
  scale = std::max(scale, kSmallestFactor * output_scale / input_scale);
  return std::min(scale, kLargestFactor * output_scale / input_scale);
}

}  // namespace

QuantizedWeights quantize_weights(const Tensor& weights, std::span<const float> bias, float input_scale,
                                  float output_scale) {
  const int64_t channels = weights.type.shape[0];
  QuantizedWeights result;
  result.weights = Tensor(TensorType{DType::kInt8, weights.type.shape});
  result.bias = Tensor(TensorType{DType::kInt32, {channels}});
  const std::span<const float> source = weights.as<float>();
  const std::span<int8_t> target = result.weights.as<int8_t>();
  const std::span<int32_t> offsets = result.bias.as<int32_t>();
  const size_t row = source.size() / static_cast<size_t>(channels);
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const float offset = bias.empty() ? 0.0f : bias[c];
    const float scale = channel_scale(source.subspan(c * row, row), offset, input_scale, output_scale);
    for (size_t i = c * row; i < (c + 1) * row; ++i) {
      target[i] = static_cast<int8_t>(std::clamp(std::nearbyint(source[i] / scale), -127.0f, 127.0f));
    }
    const double steps = static_cast<double>(offset) / (static_cast<double>(input_scale) * scale);
    offsets[c] = static_cast<int32_t>(std::clamp(std::nearbyint(steps), -2147483647.0, 2147483647.0));
    result.scales.push_back(scale);
  }
  return result;
}

std::vector<float> rounding_bias(const Tensor& weights, const QuantizedWeights& quantized,
                                 std::span<const double> input_means, int64_t groups) {
  const size_t channels = static_cast<size_t>(weights.type.shape[0]);
  const size_t per_group = static_cast<size_t>(weights.type.shape.back());
  const size_t row = static_cast<size_t>(weights.elements()) / channels;
  const size_t outputs_per_group = channels / static_cast<size_t>(groups);
  const std::span<const float> exact = weights.as<float>();
  const std::span<const int8_t> rounded = quantized.weights.as<int8_t>();
  std::vector<float> result(channels);
  for (size_t c = 0; c < channels; ++c) {
    const size_t first_input = c / outputs_per_group * per_group;
    double sum = 0;
    for (size_t i = 0; i < row; ++i) {
      const double error =
          exact[c * row + i] - static_cast<double>(rounded[c * row + i]) * quantized.scales[c];
      sum += error * input_means[first_input + i % per_group];
    }
    result[c] = static_cast<float>(sum);
  }
  return result;
}

}  // namespace bantam::compiler
