// Constant operands as XNNPACK wants them, and the clamp of an op.
#pragma once

#include <algorithm>
#include <limits>

#include "bantam/runtime/array.h"
#include "float16/conversion.h"
#include "kernel_support.h"

namespace bantam::kernels {

// A float32 view of a constant that is float32 or float16; null for an optional input left out.
class FloatConstant {
 public:
  [[nodiscard]] bool load(const TensorInfo* tensor);
  // Elements [first, first + count) only.
  [[nodiscard]] bool load(const TensorInfo* tensor, size_t first, size_t count);
  const float* data() const { return data_; }

 private:
  Array<float> converted_;
  const float* data_ = nullptr;
};

// A float16 view of such a constant.
class HalfConstant {
 public:
  [[nodiscard]] bool load(const TensorInfo* tensor);
  // Elements [first, first + count) only.
  [[nodiscard]] bool load(const TensorInfo* tensor, size_t first, size_t count);
  const uint16_t* data() const { return data_; }

 private:
  Array<uint16_t> converted_;
  const uint16_t* data_ = nullptr;
};

// The scale of each of `channels` output channels.
class ChannelScales {
 public:
  // Relies on the tensor having one scale or `channels` of them.
  [[nodiscard]] bool load(const TensorInfo& weights, int32_t channels);
  const float* data() const { return data_; }

 private:
  Array<float> repeated_;
  const float* data_ = nullptr;
};

// The output's range, for float32 and for int8; everything when the op has no clamp.
struct Range {
  float min = -std::numeric_limits<float>::infinity();
  float max = std::numeric_limits<float>::infinity();
  int8_t q_min = -128;
  int8_t q_max = 127;

  Range() = default;
  explicit Range(const plan::Clamp* clamp) {
    if (clamp != nullptr) *this = Range(clamp->min(), clamp->max(), clamp->q_min(), clamp->q_max());
  }
  // The float limits of an op that computes in float16: what is too large becomes the largest number.
  float half_min() const { return std::max(min, -kLargestHalf); }
  float half_max() const { return std::min(max, kLargestHalf); }

  Range(float low, float high, int8_t q_low, int8_t q_high)
      : min(low), max(high), q_min(q_low), q_max(q_high) {}
};

// Whether the sizes that XNNPACK computes from these stay within size_t: its pointers to `kernel_size` input
// pixels per output pixel, and weights padded to the widest of its tiles.
bool indirection_fits(int64_t output_pixels, int64_t kernel_size);
bool packing_fits(int64_t outputs, int64_t inputs, int64_t kernel_size, int64_t groups);

}  // namespace bantam::kernels
