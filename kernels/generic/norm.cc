#include <algorithm>
#include <cmath>

#include "kernel_list.h"
#include "kernel_support.h"
#include "layout.h"
#include "vector/float_rows.h"

namespace bantam::kernels {

namespace {

using plan::DType;

bool all_float(const OpContext& context) {
  for (int32_t i = 0; i < context.input_count; ++i) {
    if (context.has_input(i) && context.input(i).dtype != DType::kFloat32) return false;
  }
  return context.output().dtype == DType::kFloat32;
}

class LayerNormKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const plan::LayerNorm& attributes = *context.op->attributes_as_LayerNorm();
    const int32_t axes = attributes.axes();
    if (axes != 1 && !(x.dense() && y.dense())) return unsupported(context, "strided rows");
    for (int32_t axis = x.rank - axes; axis < x.rank; ++axis) length_ *= x.dims[axis];
    rows_ = length_ == 0 ? 0 : x.elements / length_;
    x_stride_ = axes == 1 ? x.pixel_stride : length_;
    y_stride_ = axes == 1 ? y.pixel_stride : length_;
    has_scale_ = context.has_input(1);
    has_bias_ = context.has_input(2);
    epsilon_ = attributes.epsilon();
    row_ = layer_norm_row();
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const float* x = input_as<float>(context, 0);
    const float* scale = has_scale_ ? input_as<float>(context, 1) : nullptr;
    const float* bias = has_bias_ ? input_as<float>(context, 2) : nullptr;
    float* y = output_as<float>(context);
    parallel_ranges(context.threads, rows_, tile_for(4 * length_), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        row_(x + i * x_stride_, scale, bias, y + i * y_stride_, length_, epsilon_);
      }
    });
    return ok_status();
  }

 private:
  LayerNormRow row_ = nullptr;
  int64_t rows_ = 0, length_ = 1, x_stride_ = 0, y_stride_ = 0;
  float epsilon_ = 0;
  bool has_scale_ = false, has_bias_ = false;
};

// Statistics per sample and channel, the channels being innermost: all channels of a block at a time.
class InstanceNormKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    batch_ = x.dims[0];
    channels_ = x.dims[x.rank - 1];
    for (int32_t axis = 1; axis < x.rank - 1; ++axis) pixels_ *= x.dims[axis];
    x_stride_ = x.pixel_stride;
    y_stride_ = context.output().pixel_stride;
    epsilon_ = context.op->attributes_as_InstanceNorm()->epsilon();
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const int64_t blocks = (channels_ + kBlock - 1) / kBlock;
    parallel_ranges(context.threads, batch_ * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t channel = i % blocks * kBlock;
        normalize(input_as<float>(context, 0) + i / blocks * pixels_ * x_stride_ + channel,
                  input_as<float>(context, 1) + channel, input_as<float>(context, 2) + channel,
                  output_as<float>(context) + i / blocks * pixels_ * y_stride_ + channel,
                  std::min(kBlock, channels_ - channel));
      }
    });
    return ok_status();
  }

 private:
  static constexpr int64_t kBlock = 64;

  void normalize(const float* x, const float* scale, const float* bias, float* y, int64_t n) const {
    float mean[kBlock] = {}, factor[kBlock] = {};
    for (int64_t p = 0; p < pixels_; ++p) {
      for (int64_t i = 0; i < n; ++i) mean[i] += x[p * x_stride_ + i];
    }
    for (int64_t i = 0; i < n; ++i) mean[i] /= static_cast<float>(pixels_);
    for (int64_t p = 0; p < pixels_; ++p) {
      for (int64_t i = 0; i < n; ++i) {
        const float difference = x[p * x_stride_ + i] - mean[i];
        factor[i] += difference * difference;
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      factor[i] = scale[i] / std::sqrt(factor[i] / static_cast<float>(pixels_) + epsilon_);
    }
    for (int64_t p = 0; p < pixels_; ++p) {
      for (int64_t i = 0; i < n; ++i)
        y[p * y_stride_ + i] = (x[p * x_stride_ + i] - mean[i]) * factor[i] + bias[i];
    }
  }

  int64_t batch_ = 0, channels_ = 0, pixels_ = 1, x_stride_ = 0, y_stride_ = 0;
  float epsilon_ = 0;
};

}  // namespace

// Relies on: 1 <= axes <= rank of x, scale and bias dense with as many elements as these axes, y of the shape
// of x.
Status create_layer_norm(const OpContext& context, Kernel** out) {
  if (!all_float(context)) return unsupported(context, "a layer normalization takes float32");
  return make_kernel<LayerNormKernel>(context, out);
}

// Relies on: x [N, ..., C] of rank >= 2, scale [C], bias [C], y of the shape of x.
Status create_instance_norm(const OpContext& context, Kernel** out) {
  if (!all_float(context)) return unsupported(context, "an instance normalization takes float32");
  return make_kernel<InstanceNormKernel>(context, out);
}

}  // namespace bantam::kernels
