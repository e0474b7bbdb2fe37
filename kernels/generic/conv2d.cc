#include <algorithm>

#include "generic/fallbacks.h"
#include "kernel_support.h"
#include "threads.h"
#include "xnn/constants.h"

namespace bantam::kernels {

namespace {

using plan::DType;

float dot(const float* a, const float* b, int64_t n) {
  float lanes[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int k = 0; k < 8; ++k) lanes[k] += a[i + k] * b[i + k];
  }
  float sum =
      ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// The textbook loop, for weights that are not known before run(). kTransposed: ConvTranspose2d, whose output
// pixel gathers from the input pixels that would scatter to it.
template <bool kTransposed>
class DirectConvKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    const plan::Conv2d& a = *context.op->attributes_as_Conv2d();
    if (w.dtype != DType::kFloat32 || !w.dense())
      return unsupported(context, "weights that are not dense float32");
    if (context.has_input(2) && context.input(2).dtype != DType::kFloat32)
      return unsupported(context, "bias type");
    h_ = {x.dims[1], y.dims[1], w.dims[1], a.stride_h(), a.dilation_h(), a.pad_top()};
    w_ = {x.dims[2], y.dims[2], w.dims[2], a.stride_w(), a.dilation_w(), a.pad_left()};
    batch_ = x.dims[0];
    outputs_ = w.dims[0];
    depth_ = w.dims[3];
    per_group_ = outputs_ / a.groups();
    x_stride_ = x.pixel_stride;
    y_stride_ = y.pixel_stride;
    has_bias_ = context.has_input(2);
    range_ = Range(a.clamp());
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const float* x = input_as<float>(context, 0);
    const float* w = input_as<float>(context, 1);
    const float* bias = has_bias_ ? input_as<float>(context, 2) : nullptr;
    float* y = output_as<float>(context);
    parallel_ranges(context.threads, batch_ * h_.output, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* image = x + row / h_.output * h_.input * w_.input * x_stride_;
        for (int64_t column = 0; column < w_.output; ++column) {
          pixel(image, w, bias, y + (row * w_.output + column) * y_stride_, row % h_.output, column);
        }
      }
    });
    return ok_status();
  }

 private:
  struct Axis {
    int64_t input, output, kernel, stride, dilation, pad;

    // The input coordinate under `tap` for the output at `position`; -1: none.
    int64_t source(int64_t position, int64_t tap) const {
      if constexpr (kTransposed) {
        const int64_t at = position + pad - tap * dilation;
        return at >= 0 && at % stride == 0 && at / stride < input ? at / stride : -1;
      } else {
        const int64_t at = position * stride - pad + tap * dilation;
        return at < input ? std::max<int64_t>(at, -1) : -1;
      }
    }
  };

  void pixel(const float* image, const float* w, const float* bias, float* y, int64_t row,
             int64_t column) const {
    for (int64_t o = 0; o < outputs_; ++o) y[o] = bias == nullptr ? 0.0f : bias[o];
    for (int64_t i = 0; i < h_.kernel; ++i) {
      const int64_t at_h = h_.source(row, i);
      for (int64_t j = 0; j < w_.kernel && at_h >= 0; ++j) {
        const int64_t at_w = w_.source(column, j);
        if (at_w < 0) continue;
        const float* x = image + (at_h * w_.input + at_w) * x_stride_;
        for (int64_t o = 0; o < outputs_; ++o) {
          y[o] +=
              dot(x + o / per_group_ * depth_, w + ((o * h_.kernel + i) * w_.kernel + j) * depth_, depth_);
        }
      }
    }
    for (int64_t o = 0; o < outputs_; ++o) y[o] = std::clamp(y[o], range_.min, range_.max);
  }

  Axis h_, w_;
  int64_t batch_ = 0, outputs_ = 0, depth_ = 0, per_group_ = 1, x_stride_ = 0, y_stride_ = 0;
  bool has_bias_ = false;
  Range range_;
};

}  // namespace

Status create_generic_conv2d(const OpContext& context, Kernel** out) {
  return make_kernel<DirectConvKernel<false>>(context, out);
}

Status create_generic_conv_transpose2d(const OpContext& context, Kernel** out) {
  return make_kernel<DirectConvKernel<true>>(context, out);
}

}  // namespace bantam::kernels
