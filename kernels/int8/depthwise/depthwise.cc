#include "int8/depthwise/depthwise.h"

#include "bantam/runtime/array.h"
#include "int8/arithmetic.h"
#include "int8/conv_scales.h"
#include "int8/dispatch.h"
#include "int8/highway_targets.h"
#include "int8/int8_kernels.h"
#include "kernel_support.h"
#include "packed_weights.h"
#include "threads.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "int8/depthwise/depthwise.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "int8/depthwise/depthwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET <= HWY_SSE2

// Calls body(Lanes<>, first channel, channels) for each block of the range. Blocks are as wide as vectors
// allow, the last ones as narrow as their channels allow.
template <class Body>
void for_each_block(int32_t first, int32_t end, const Body& body) {
  while (first < end) {
    const int32_t rest = end - first;
    int32_t width;
#if HWY_TARGET <= HWY_AVX3_DL
    width = rest > 48 ? 64 : rest > 16 ? 32 : 16;
    const int32_t channels = std::min(rest, width);
    width == 64   ? body(Lanes<64>(), first, channels)
    : width == 32 ? body(Lanes<32>(), first, channels)
                  : body(Lanes<16>(), first, channels);
#elif HWY_TARGET == HWY_AVX2
    width = rest > 8 ? 16 : 8;
    const int32_t channels = std::min(rest, width);
    width == 16 ? body(Lanes<16>(), first, channels) : body(Lanes<8>(), first, channels);
#else
    width = 8;
    const int32_t channels = std::min(rest, width);
    body(Lanes<8>(), first, channels);
#endif
    first += channels;
  }
}

template <class L, class Body>
void with_taps(const DepthwiseShape& shape, const Body& body) {
  if (shape.kernel == 3) {
    shape.stride == 1 ? body(Taps<L, 3, 1>()) : body(Taps<L, 3, 2>());
  } else {
    shape.stride == 1 ? body(Taps<L, 5, 1>()) : body(Taps<L, 5, 2>());
  }
}

size_t packed_size(const DepthwiseShape& shape, int32_t channels) {
  size_t bytes = 0;
  for_each_block(0, channels, [&](auto lanes, int32_t, int32_t) {
    using L = decltype(lanes);
    with_taps<L>(shape, [&](auto taps) { bytes += packed_block_bytes<L, decltype(taps)>(); });
  });
  return bytes;
}

void pack(const DepthwiseShape& shape, const DepthwiseWeights& weights, uint8_t* packed) {
  for_each_block(0, shape.channels, [&](auto lanes, int32_t first, int32_t channels) {
    using L = decltype(lanes);
    with_taps<L>(shape, [&](auto taps) {
      pack_block<L, decltype(taps)>(weights, first, channels, packed);
      packed += packed_block_bytes<L, decltype(taps)>();
    });
  });
}

template <class L, class T>
void run_block(const DepthwiseShape& shape, const DepthwiseTask& task, const TileRun& block,
               const uint8_t* packed) {
  const OutputOf<typename L::D8> output(shape.y_zero, shape.y_min, shape.y_max);
  if (task.row + T::kTileRows <= shape.out_height) {
    run_tiles<L, T, T::kTileRows>(block, packed, output);
  } else {
    run_tiles<L, T, 1>(block, packed, output);
  }
}

void run(const DepthwiseShape& shape, const DepthwiseTask& task, const uint8_t* packed_weights) {
  constexpr int kMaxRows = 6;
  const int8_t* table[kMaxRows * kPitch];
  const uint8_t* first_block = packed_weights + packed_size(shape, task.first_channel);
  for (int32_t column = 0; column < shape.out_width; column += kChunk) {
    fill_table(shape, task, column, table);
    const uint8_t* packed = first_block;
    for_each_block(task.first_channel, task.end_channel, [&](auto lanes, int32_t first, int32_t channels) {
      using L = decltype(lanes);
      TileRun block;
      block.table = table;
      block.channel = first;
      block.y_pixel = shape.y_pixel;
      block.y_row = shape.out_width * shape.y_pixel;
      block.y = task.y + task.row * block.y_row + column * block.y_pixel + first;
      block.columns = std::min(kChunk, shape.out_width - column);
      block.channels = channels;
      with_taps<L>(shape, [&](auto taps) {
        run_block<L, decltype(taps)>(shape, task, block, packed);
        packed += packed_block_bytes<L, decltype(taps)>();
      });
    });
  }
}

#else

size_t packed_size(const DepthwiseShape&, int32_t) { return 0; }
void pack(const DepthwiseShape&, const DepthwiseWeights&, uint8_t*) {}
void run(const DepthwiseShape&, const DepthwiseTask&, const uint8_t*) {}

#endif

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace bantam::kernels {

HWY_EXPORT(packed_size);
HWY_EXPORT(pack);
HWY_EXPORT(run);

namespace {

class Depthwise final : public Kernel {
 public:
  Status init(const OpContext& context) {
    choose_target();
    const TensorInfo& x = context.input(0);
    set_shape(context);
    batch_ = x.dims[0];
    const size_t bytes = HWY_DYNAMIC_DISPATCH(packed_size)(shape_, shape_.channels);
    if (bytes == 0) return unsupported(context, "XNNPACK's kernel serves this CPU");
    run_ = HWY_DYNAMIC_POINTER(run);

    if (!zeros_.allocate(static_cast<size_t>(shape_.channels + kDepthwiseBlock)))
      return out_of_memory(context);
    std::memset(zeros_.data(), x.zero_point, zeros_.size());

    const TensorInfo& w = context.input(1);
    const auto* bias = context.has_input(2) ? static_cast<const int32_t*>(context.input(2).data) : nullptr;
    return weights_.load(context, 0, kSeed, bytes, [&](void* block) {
      Array<float> scales;
      if (!scales.allocate(static_cast<size_t>(shape_.channels))) return out_of_memory(context);
      if (!make_conv_scales(context, scales)) return unsupported(context, "weights or scales beyond int32");
      const DepthwiseWeights weights = {static_cast<const int8_t*>(w.data), bias, scales.data(),
                                        x.zero_point};
      HWY_DYNAMIC_DISPATCH(pack)(shape_, weights, static_cast<uint8_t*>(block));
      return ok_status();
    });
  }

  Status run(const RunContext& context) override {
    const int8_t* x = input_as<int8_t>(context, 0);
    int8_t* y = output_as<int8_t>(context);
    const int32_t tile_rows = depthwise_tile_rows(shape_.stride);
    const int64_t pieces = (shape_.channels + kPiece - 1) / kPiece;
    const int64_t rows = (shape_.out_height + tile_rows - 1) / tile_rows;
    const int64_t cost = shape_.out_width * tile_rows * std::min(shape_.channels, kPiece);
    parallel_ranges(context.threads, batch_ * rows * pieces, tile_for(cost), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t image = i / (rows * pieces);
        DepthwiseTask task;
        task.x = x + image * shape_.x_image();
        task.y = y + image * shape_.y_image();
        task.zeros = zeros_.data();
        task.row = static_cast<int32_t>(i / pieces % rows) * tile_rows;
        task.first_channel = static_cast<int32_t>(i % pieces) * kPiece;
        task.end_channel = std::min(task.first_channel + kPiece, shape_.channels);
        run_(shape_, task, weights_.as<uint8_t>());
      }
    });
    return ok_status();
  }

  size_t state_bytes() const override { return zeros_.size() + weights_.own_bytes(); }
  bool reads_constants() const override { return weights_.reads_constants(); }

 private:
  static constexpr int32_t kPiece = 4 * kDepthwiseBlock;
  static constexpr uint32_t kSeed = 0x64770801;  // "dw", int8, layout 1

  void set_shape(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& y = context.output();
    const plan::Conv2d& conv = *context.op->attributes_as_Conv2d();
    const QRange range = q_range(conv.clamp());
    shape_.kernel = context.input(1).dims[1];
    shape_.stride = conv.stride_h();
    shape_.channels = x.dims[3];
    shape_.in_height = x.dims[1];
    shape_.in_width = x.dims[2];
    shape_.out_height = y.dims[1];
    shape_.out_width = y.dims[2];
    shape_.pad_top = conv.pad_top();
    shape_.pad_left = conv.pad_left();
    shape_.x_pixel = x.pixel_stride;
    shape_.y_pixel = y.pixel_stride;
    shape_.y_zero = y.zero_point;
    shape_.y_min = range.min;
    shape_.y_max = range.max;
  }

  using RunFunction = void (*)(const DepthwiseShape&, const DepthwiseTask&, const uint8_t*);

  DepthwiseShape shape_;
  int64_t batch_ = 0;
  RunFunction run_ = nullptr;
  OpWeights weights_;
  Array<int8_t> zeros_;
};

}  // namespace

// Relies on what create_conv2d relies on. acc = bias + sum of (x - x_zero) * w; y = requantize(acc, scale,
// y_zero), which is what XNNPACK's qs8_qc8w kernels compute.
Status create_int8_depthwise(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& w = context.input(1);
  const TensorInfo& y = context.output();
  const plan::Conv2d& conv = *context.op->attributes_as_Conv2d();
  const int32_t kernel = w.dims[1], stride = conv.stride_h();
  if (conv.groups() != x.dims[3] || w.dims[0] != x.dims[3] || w.dims[3] != 1)
    return unsupported(context, "not depthwise");
  if (w.dims[2] != kernel || (kernel != 3 && kernel != 5)) return unsupported(context, "neither 3x3 nor 5x5");
  if (conv.stride_w() != stride || (stride != 1 && stride != 2) || conv.dilation_h() != 1 ||
      conv.dilation_w() != 1) {
    return unsupported(context, "another stride or dilation");
  }
  if (w.data == nullptr || (context.has_input(2) && context.input(2).data == nullptr)) {
    return unsupported(context, "weights not constant");
  }
  const auto output_size = [&](int32_t size, int32_t pads) { return (size + pads - kernel) / stride + 1; };
  if (y.dims[1] != output_size(x.dims[1], conv.pad_top() + conv.pad_bottom()) ||
      y.dims[2] != output_size(x.dims[2], conv.pad_left() + conv.pad_right())) {
    return unsupported(context, "the output's shape is not that of this convolution");
  }
  return make_kernel<Depthwise>(context, out);
}

}  // namespace bantam::kernels

#endif
