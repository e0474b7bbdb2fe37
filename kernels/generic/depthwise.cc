#include <algorithm>

#include "generic/fallbacks.h"
#include "kernel_support.h"
#include "packed_weights.h"
#include "threads.h"
#include "vector/depthwise_rows.h"
#include "xnn/constants.h"

namespace bantam::kernels {

namespace {

using plan::DType;

// Weights as depthwise_block() wants them: per block of channels the bias and the taps.
class BlockedWeights {
 public:
  Status load(const OpContext& context) {
    const TensorInfo& w = context.input(1);
    taps_ = w.dims[1] * w.dims[2];
    const int32_t channels = w.dims[0];
    const int64_t blocks = (channels + kDepthwiseFloats - 1) / kDepthwiseFloats;
    const auto floats = static_cast<size_t>(blocks * block_floats());
    return packed_.load(context, 0, kSeed, floats * sizeof(float), [&](void* block) {
      return pack(context, static_cast<float*>(block), channels) ? ok_status() : out_of_memory(context);
    });
  }

  const float* block(int64_t i) const { return packed_.as<float>() + i * block_floats(); }
  bool reads_constants() const { return packed_.reads_constants(); }

 private:
  static constexpr uint32_t kSeed = 0x64770001;  // "dw", layout 1

  int64_t block_floats() const { return int64_t{1 + taps_} * kDepthwiseFloats; }

  bool pack(const OpContext& context, float* out, int32_t channels) const {
    FloatConstant weights, bias;
    if (!weights.load(&context.input(1)) || !bias.load(context.has_input(2) ? &context.input(2) : nullptr))
      return false;
    for (int32_t first = 0; first < channels; first += kDepthwiseFloats) {
      for (int32_t row = 0; row <= taps_; ++row) {  // the bias, then the taps
        for (int32_t c = first; c < first + kDepthwiseFloats; ++c, ++out) {
          *out = 0;
          if (c >= channels) continue;
          if (row > 0)
            *out = weights.data()[c * int64_t{taps_} + row - 1];
          else if (bias.data() != nullptr)
            *out = bias.data()[c];
        }
      }
    }
    return true;
  }

  int32_t taps_ = 0;
  OpWeights packed_;
};

class DepthwiseKernel final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    const plan::Conv2d& a = *context.op->attributes_as_Conv2d();
    const Range range(a.clamp());
    image_ = {x.dims[1],    x.dims[2],      y.dims[1],      y.dims[2], a.pad_top(),
              a.pad_left(), x.pixel_stride, y.pixel_stride, range.min, range.max};
    batch_ = x.dims[0];
    channels_ = x.dims[3];
    block_ = depthwise_block(w.dims[1], a.stride_h());
    // Pieces of work of some ten thousand multiplications.
    const int64_t row_cost = int64_t{y.dims[2]} * w.dims[1] * w.dims[2] * kDepthwiseFloats;
    rows_ = static_cast<int32_t>(std::clamp<int64_t>(65536 / row_cost, 1, y.dims[1]));
    return weights_.load(context);
  }

  Status run(const RunContext& context) override {
    const float* x = input_as<float>(context, 0);
    float* y = output_as<float>(context);
    const int64_t blocks = (channels_ + kDepthwiseFloats - 1) / kDepthwiseFloats;
    const int64_t bands = (image_.out_height + rows_ - 1) / rows_;
    parallel_ranges(context.threads, batch_ * blocks * bands, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t sample = i / (blocks * bands), block = i / bands % blocks;
        const int64_t channel = block * kDepthwiseFloats;
        const auto row = static_cast<int32_t>(i % bands * rows_);
        block_(image_, x + sample * image_.in_height * image_.in_width * image_.x_pixel + channel,
               weights_.block(block),
               y + sample * image_.out_height * image_.out_width * image_.y_pixel + channel,
               static_cast<int32_t>(std::min<int64_t>(kDepthwiseFloats, channels_ - channel)), row,
               std::min(row + rows_, image_.out_height));
      }
    });
    return ok_status();
  }

  bool reads_constants() const override { return weights_.reads_constants(); }

 private:
  DepthwiseImage image_;
  int64_t batch_ = 0, channels_ = 0;
  int32_t rows_ = 1;  // output rows in a piece of work
  DepthwiseBlock block_ = nullptr;
  BlockedWeights weights_;
};

}  // namespace

Status create_float_depthwise(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& w = context.input(1);
  const plan::Conv2d& a = *context.op->attributes_as_Conv2d();
  const bool depthwise = a.groups() == x.dims[3] && w.dims[0] == x.dims[3] && w.dims[3] == 1;
  const bool shape = w.dims[1] == w.dims[2] && (w.dims[1] == 3 || w.dims[1] == 5) &&
                     a.stride_h() == a.stride_w() && a.stride_h() <= 2 && a.dilation_h() == 1 &&
                     a.dilation_w() == 1;
  if (!depthwise || !shape) return unsupported(context, "another convolution");
  return make_kernel<DepthwiseKernel>(context, out);
}

}  // namespace bantam::kernels
