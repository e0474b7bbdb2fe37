#include "xnn/narrow_block.h"

#include <algorithm>

#include "packed_weights.h"
#include "threads.h"
#include "vector/narrow_rows.h"
#include "xnn/constants.h"

namespace bantam::kernels {

namespace {

class NarrowKernel final : public Kernel {
 public:
  Status init(const OpContext& context, const OutputBlock& block) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const Range range(context.op->attributes_as_Conv2d()->clamp());
    first_ = block.first;
    pixels_ = x.elements / x.dims[3];
    product_ = {x.dims[3], x.pixel_stride, y.pixel_stride, block.count, range.min, range.max};
    rows_ = narrow_rows();
    const size_t floats = static_cast<size_t>(product_.depth + 1) * kNarrowChannels;
    return weights_.load(context, block.first, kSeed, floats * sizeof(float), [&](void* memory) {
      return pack(context, static_cast<float*>(memory)) ? ok_status() : out_of_memory(context);
    });
  }

  Status run(const RunContext& context) override {
    const float* x = input_as<float>(context, 0);
    float* y = output_as<float>(context) + first_;
    // Tiles of pixels; the last of a range may reach back into it, but not out of it.
    const int64_t tiles = pixels_ / kNarrowPixels;
    parallel_ranges(context.threads, tiles, tile_for(kNarrowPixels * product_.depth),
                    [&](int64_t begin, int64_t end) {
                      const int64_t pixel = begin * kNarrowPixels;
                      const int64_t last = end == tiles ? pixels_ : end * kNarrowPixels;
                      rows_(product_, x + pixel * product_.x_pixel, weights_.as<float>(),
                            y + pixel * product_.y_pixel, last - pixel);
                    });
    return ok_status();
  }

  size_t state_bytes() const override { return weights_.own_bytes(); }
  bool reads_constants() const override { return weights_.reads_constants(); }

 private:
  static constexpr uint32_t kSeed = 0x6e770001;  // "nw", layout 1

  bool pack(const OpContext& context, float* out) const {
    const auto depth = static_cast<size_t>(product_.depth), count = static_cast<size_t>(product_.channels),
               first = static_cast<size_t>(first_);
    FloatConstant weights, bias;
    if (!weights.load(&context.input(1), first * depth, count * depth) ||
        !bias.load(context.has_input(2) ? &context.input(2) : nullptr, first, count)) {
      return false;
    }
    std::fill_n(out, (depth + 1) * kNarrowChannels, 0.0f);
    for (size_t c = 0; c < count; ++c) {
      if (bias.data() != nullptr) out[c] = bias.data()[c];
      for (size_t k = 0; k < depth; ++k) out[(k + 1) * kNarrowChannels + c] = weights.data()[c * depth + k];
    }
    return true;
  }

  NarrowProduct product_;
  NarrowRows rows_ = nullptr;
  int64_t pixels_ = 0;
  int32_t first_ = 0;
  OpWeights weights_;
};

}  // namespace

int32_t narrow_channels(const OpContext& context) {
  constexpr int32_t kTile = 2 * kNarrowChannels;  // XNNPACK's
  constexpr int32_t kMany = 10 * kTile;           // of which the last tile is a small part
  const TensorInfo& x = context.input(0);
  const TensorInfo& w = context.input(1);
  const plan::Conv2d& a = *context.op->attributes_as_Conv2d();
  const bool pointwise = w.dims[1] == 1 && w.dims[2] == 1 && a.stride_h() == 1 && a.stride_w() == 1 &&
                         a.groups() == 1 && a.pad_top() + a.pad_bottom() + a.pad_left() + a.pad_right() == 0;
  const int32_t left = w.dims[0] % kTile;
  const bool pays = pointwise && x.dtype == plan::DType::kFloat32 && left > 0 && left <= kNarrowChannels &&
                    x.dims[3] > 0 && w.dims[0] <= kMany && x.elements / x.dims[3] >= kNarrowPixels;
  return pays && narrow_rows() != nullptr ? left : 0;
}

Status create_narrow_block(const OpContext& context, Kernel** out, OutputBlock block) {
  return make_kernel<NarrowKernel>(context, out, block);
}

}  // namespace bantam::kernels
