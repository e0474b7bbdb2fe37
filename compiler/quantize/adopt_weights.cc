#include "quantize/adopt_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bantam::compiler {
namespace {

constexpr float kSmallestFactor = 0x1p-31f;  // XNNPACK accepts [2^-32, 256)
constexpr float kLargestFactor = 255.0f;
constexpr double kLargestBias = 0x1p30;  // leaves as much again for the products
constexpr double kMostBias = 0x1.8p30;
constexpr double kOffStep = 1e-3;  // float rounding moves multiples of a step by less, in steps

class Channel {
 public:
  Channel(std::span<const float> weights, float step, float bias)
      : weights_(weights), step_(step), bias_(bias) {}

  // Makes the step as large as the kernels need. What is rounded then is below 2^-31 of an output step.
  void fit(float input_scale, float output_scale) {
    step_ = std::max(step_, kSmallestFactor * output_scale / input_scale);
    const bool empty = std::all_of(weights_.begin(), weights_.end(), [](float w) { return w == 0; });
    if (empty) step_ = std::max(step_, std::fabs(bias_) / static_cast<float>(kLargestBias) / input_scale);
    unit_ = input_scale * step_;
    factor_ = unit_ / output_scale;
  }

  std::string problem(float original_step) const {
    if (!(factor_ < kLargestFactor)) return "its scales are too far apart for the int8 kernels";
    if (std::fabs(bias_steps()) > kMostBias) return "its bias does not fit into the int32 of its products";
    double largest = 0;
    for (const float w : weights_) {
      const double q = static_cast<double>(w) / step_;
      if (step_ == original_step && std::fabs(q - std::nearbyint(q)) > kOffStep) {
        return "its weights are not multiples of their scales";
      }
      largest = std::max(largest, std::max(std::nearbyint(q) - 127, -128 - std::nearbyint(q)));
    }
    if (largest > 0) return "its weights lie up to 255 steps from their zero point, int8 holds 127";
    return "";
  }

  // Returns how many were clipped.
  int64_t write(std::span<int8_t> target) const {
    int64_t least = 0;
    for (size_t i = 0; i < weights_.size(); ++i) {
      target[i] = static_cast<int8_t>(std::nearbyint(static_cast<double>(weights_[i]) / step_));
      least += target[i] == -128 ? 1 : 0;
    }
    if (least < 2) return 0;
    std::replace(target.begin(), target.end(), int8_t{-128}, int8_t{-127});
    return least;
  }

  float step() const { return step_; }
  double bias_steps() const { return std::nearbyint(static_cast<double>(bias_) / unit_); }

 private:
  std::span<const float> weights_;
  float step_, bias_;
  float unit_ = 1;    // of the products
  float factor_ = 1;  // output steps per unit
};

}  // namespace

std::optional<AdoptedWeights> adopt_weights(const Tensor& weights, const Tensor* bias, float input_scale,
                                            float output_scale, std::string& reason) {
  if (!weights.steps) {
    reason = "its weights are not quantized";
    return std::nullopt;
  }
  const std::vector<float>& steps = weights.steps->sizes;
  const auto channels = static_cast<size_t>(weights.type.shape[0]);
  if (steps.size() != 1 && (weights.steps->axis != 0 || steps.size() != channels)) {
    reason = "the scales of its weights run along another axis than its output channels";
    return std::nullopt;
  }
  AdoptedWeights result;
  result.form.weights = Tensor(TensorType{DType::kInt8, weights.type.shape});
  result.form.bias = Tensor(TensorType{DType::kInt32, {static_cast<int64_t>(channels)}});
  const std::span<const float> source = weights.as<float>();
  const size_t row = source.size() / channels;
  for (size_t c = 0; c < channels; ++c) {
    const float step = steps[steps.size() == 1 ? 0 : c];
    Channel channel(source.subspan(c * row, row), step, bias == nullptr ? 0.0f : bias->as<float>()[c]);
    channel.fit(input_scale, output_scale);
    reason = channel.problem(step);
    if (!reason.empty()) return std::nullopt;
    result.clipped += channel.write(result.form.weights.as<int8_t>().subspan(c * row, row));
    result.form.bias.as<int32_t>()[c] = static_cast<int32_t>(channel.bias_steps());
    result.form.scales.push_back(channel.step());
  }
  return result;
}

}  // namespace bantam::compiler
