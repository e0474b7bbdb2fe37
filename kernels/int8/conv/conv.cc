#include "int8/conv/conv.h"

#include <cpuinfo.h>

#include <algorithm>
#include <cstring>

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
#define HWY_TARGET_INCLUDE "int8/conv/conv.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "int8/conv/bands-inl.h"
#include "int8/conv/panels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3_DL

bool serves(const ConvShape& shape) { return conv_serves(shape); }

size_t packed_size(const ConvShape& shape) {
  return static_cast<size_t>(conv_blocks(shape)) * packed_block_bytes(shape);
}

// Channels that are not there become zero.
void pack(const ConvShape& shape, const ConvWeights& from, uint8_t* packed) {
  std::memset(packed, 0, packed_size(shape));
  for (int32_t first = 0; first < shape.out_channels;
       first += kConvBlock, packed += packed_block_bytes(shape)) {
    auto* header = reinterpret_cast<ConvBlockHeader*>(packed);
    for (int32_t lane = 0; lane < kConvBlock; ++lane) {
      const int32_t channel = first + conv_channel(lane / (kConvBlock / 2), lane % (kConvBlock / 2));
      if (channel >= shape.out_channels) continue;
      header->bias[lane] = from.bias == nullptr ? 0 : from.bias[channel];
      header->scales[lane] = from.scales[channel];
      pack_block_weights(shape, from.weights + ptrdiff_t{channel} * shape.depth(), lane, header,
                         reinterpret_cast<int8_t*>(header + 1));
    }
  }
}

ConvSplit split(const ConvShape& shape, int64_t threads) { return split_conv(shape, threads); }

void run(const ConvShape& shape, const ConvSplit& split, const ConvTask& task, const uint8_t* packed) {
  run_conv(shape, split, task, packed);
}

#else

bool serves(const ConvShape&) { return false; }
size_t packed_size(const ConvShape&) { return 0; }
void pack(const ConvShape&, const ConvWeights&, uint8_t*) {}
ConvSplit split(const ConvShape&, int64_t) { return {}; }
void run(const ConvShape&, const ConvSplit&, const ConvTask&, const uint8_t*) {}

#endif

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace bantam::kernels {

HWY_EXPORT(serves);
HWY_EXPORT(packed_size);
HWY_EXPORT(pack);
HWY_EXPORT(split);
HWY_EXPORT(run);

namespace {

class Int8Conv final : public Kernel {
 public:
  Status init(const OpContext& context) {
    choose_target();
    set_shape(context);
    if (!HWY_DYNAMIC_DISPATCH(serves)(shape_))
      return unsupported(context, "XNNPACK's kernel is the faster one");
    const size_t bytes = HWY_DYNAMIC_DISPATCH(packed_size)(shape_);
    run_ = HWY_DYNAMIC_POINTER(run);
    threads_ = thread_count(context.threads);
    split_ = HWY_DYNAMIC_DISPATCH(split)(shape_, static_cast<int64_t>(threads_));
    if (split_.scratch_bytes > kMostScratch) return unsupported(context, "too large for a band");
    split_.scratch_bytes = round_up(split_.scratch_bytes, kTensorAlignment);

    const TensorInfo& w = context.input(1);
    const auto* bias = context.has_input(2) ? static_cast<const int32_t*>(context.input(2).data) : nullptr;
    return weights_.load(context, 0, kSeed, bytes, [&](void* block) {
      Array<float> scales;
      if (!scales.allocate(static_cast<size_t>(shape_.out_channels))) return out_of_memory(context);
      if (!make_conv_scales(context, scales)) return unsupported(context, "weights or scales beyond int32");
      const ConvWeights weights = {static_cast<const int8_t*>(w.data), bias, scales.data()};
      HWY_DYNAMIC_DISPATCH(pack)(shape_, weights, static_cast<uint8_t*>(block));
      return ok_status();
    });
  }

  Status run(const RunContext& context) override {
    Work work = {this, input_as<int8_t>(context, 0), output_as<int8_t>(context),
                 static_cast<uint8_t*>(context.workspace)};
    pthreadpool_parallelize_1d_with_thread(pool_of(context.threads), run_task, &work,
                                           static_cast<size_t>(split_.tasks), 0);
    return ok_status();
  }

  size_t workspace_bytes() const override { return threads_ * split_.scratch_bytes; }
  size_t state_bytes() const override { return weights_.own_bytes(); }
  bool reads_constants() const override { return weights_.reads_constants(); }

 private:
  static constexpr size_t kMostScratch = size_t{16} << 20;  // by far more than real kernels span
  static constexpr uint32_t kSeed = 0x63760802;             // "cv", int8, layout 2
  using RunFunction = void (*)(const ConvShape&, const ConvSplit&, const ConvTask&, const uint8_t*);
  struct Work {
    const Int8Conv* conv;
    const int8_t* x;
    int8_t* y;
    uint8_t* scratch;
  };

  static void run_task(void* context, size_t thread, size_t index) {
    const Work& work = *static_cast<const Work*>(context);
    const Int8Conv& conv = *work.conv;
    const ConvTask task = {static_cast<int64_t>(index), work.x, work.y,
                           work.scratch + thread * conv.split_.scratch_bytes};
    conv.run_(conv.shape_, conv.split_, task, conv.weights_.as<uint8_t>());
  }

  void set_shape(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    const plan::Conv2d& conv = *context.op->attributes_as_Conv2d();
    const QRange range = q_range(conv.clamp());
    shape_.images = x.dims[0];
    shape_.in_height = x.dims[1];
    shape_.in_width = x.dims[2];
    shape_.in_channels = x.dims[3];
    shape_.out_height = y.dims[1];
    shape_.out_width = y.dims[2];
    shape_.out_channels = y.dims[3];
    shape_.kernel_h = w.dims[1];
    shape_.kernel_w = w.dims[2];
    shape_.stride_h = conv.stride_h();
    shape_.stride_w = conv.stride_w();
    shape_.dilation_h = conv.dilation_h();
    shape_.dilation_w = conv.dilation_w();
    shape_.pad_top = conv.pad_top();
    shape_.pad_left = conv.pad_left();
    shape_.x_pixel = x.pixel_stride;
    shape_.x_row = shape_.x_pixel * shape_.in_width;
    shape_.x_image = shape_.x_row * shape_.in_height;
    shape_.y_pixel = y.pixel_stride;
    shape_.x_zero = x.zero_point;
    shape_.y_zero = y.zero_point;
    shape_.y_min = range.min;
    shape_.y_max = range.max;
    const bool padded = conv.pad_top() + conv.pad_bottom() + conv.pad_left() + conv.pad_right() != 0;
    if (shape_.kernel_h == 1 && shape_.kernel_w == 1 && !padded) simplify();
  }

  // One input pixel for each output pixel: those that a stride skips do not count, and where none is skipped
  // all lie in one row.
  void simplify() {
    shape_.x_pixel *= shape_.stride_w;
    shape_.x_row *= shape_.stride_h;
    const bool skips = shape_.stride_h != 1 || shape_.stride_w != 1;
    shape_.stride_h = shape_.stride_w = 1;
    shape_.dilation_h = shape_.dilation_w = 1;
    const int64_t pixels = shape_.images * shape_.out_pixels();
    if (!skips && pixels <= INT32_MAX) {
      shape_.images = shape_.out_height = 1;
      shape_.out_width = static_cast<int32_t>(pixels);
    }
    shape_.in_height = shape_.out_height;
    shape_.in_width = shape_.out_width;
  }

  ConvShape shape_;
  ConvSplit split_;  // scratch_bytes a multiple of kTensorAlignment
  size_t threads_ = 1;
  RunFunction run_ = nullptr;
  OpWeights weights_;
};

}  // namespace

bool int8_conv_pays() {
#if defined(__x86_64__) || defined(__i386__)
  // XNNPACK's AVX2 kernels widen bytes by the same instructions but multiply fewer of them at a time.
  const bool avx2 = cpuinfo_initialize() && cpuinfo_has_x86_avx2() && !cpuinfo_has_x86_avx512bw() &&
                    !cpuinfo_has_x86_avxvnni();
  return avx2 || (hwy::SupportedTargets() & HWY_AVX3_DL) != 0;
#else
  return false;
#endif
}

// Relies on what create_conv2d relies on. acc = bias + sum of (x - x_zero) * w; y = requantize(acc, scale,
// y_zero), which is what XNNPACK's qs8_qc8w kernels compute.
Status create_int8_conv2d(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& w = context.input(1);
  if (context.op->attributes_as_Conv2d()->groups() != 1) return unsupported(context, "several groups");
  if (w.data == nullptr || (context.has_input(2) && context.input(2).data == nullptr)) {
    return unsupported(context, "weights not constant");
  }
  if (x.elements == 0 || w.elements == 0 || context.output().elements == 0)
    return unsupported(context, "empty");
  constexpr int64_t kMostDepth = int64_t{1} << 20;
  if (int64_t{w.dims[1]} * w.dims[2] > kMostDepth || w.elements / w.dims[0] > kMostDepth)
    return unsupported(context, "too large for a panel");
  return make_kernel<Int8Conv>(context, out);
}

}  // namespace bantam::kernels

#endif
