#include "int8/conv/conv.h"

#include <cpuinfo.h>

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
#include "int8/conv/conv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX2

size_t packed_size(const ConvShape& shape) {
  return static_cast<size_t>(shape.blocks()) * packed_conv_block_bytes(shape);
}

void pack(const ConvShape& shape, const ConvWeights& weights, uint8_t* packed) {
  for (int32_t first = 0; first < shape.out_channels; first += kConvBlock) {
    pack_block(shape, weights, first, packed);
    packed += packed_conv_block_bytes(shape);
  }
}

void run(const ConvShape& shape, const ConvTask& task, const uint8_t* packed) {
  fill_panel(shape, task);
  multiply_panel(shape, task, packed);
}

#else

size_t packed_size(const ConvShape&) { return 0; }
void pack(const ConvShape&, const ConvWeights&, uint8_t*) {}
void run(const ConvShape&, const ConvTask&, const uint8_t*) {}

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

class Int8Conv final : public Kernel {
 public:
  Status init(const OpContext& context) {
    choose_target();
    set_shape(context);
    const size_t bytes = HWY_DYNAMIC_DISPATCH(packed_size)(shape_);
    if (bytes == 0) return unsupported(context, "XNNPACK's kernel serves this CPU");
    run_ = HWY_DYNAMIC_POINTER(run);
    set_panel(context);

    const TensorInfo& w = context.input(1);
    const auto* bias = context.has_input(2) ? static_cast<const int32_t*>(context.input(2).data) : nullptr;
    shared_ = context.packed != nullptr;
    PackedWeights& store = shared_ ? *context.packed : own_packed_;
    const PackedWeights::Key key = {context.index, 0, kSeed};
    const void* packed = store.find(key);
    if (packed == nullptr) {
      Array<float> scales;
      if (!scales.allocate(static_cast<size_t>(shape_.out_channels))) return out_of_memory(context);
      if (!make_conv_scales(context, scales)) return unsupported(context, "weights or scales beyond int32");
      void* block = store.reserve(bytes);
      if (block == nullptr) return out_of_memory(context);
      const ConvWeights weights = {static_cast<const int8_t*>(w.data), bias, scales.data()};
      HWY_DYNAMIC_DISPATCH(pack)(shape_, weights, static_cast<uint8_t*>(block));
      packed = store.insert(key, block);
    }
    packed_ = static_cast<const uint8_t*>(packed);
    return ok_status();
  }

  Status run(const RunContext& context) override {
    Work work = {this, input_as<int8_t>(context, 0), output_as<int8_t>(context),
                 static_cast<int16_t*>(context.workspace)};
    const auto panels = static_cast<size_t>((pixels_ + panel_ - 1) / panel_);
    pthreadpool_parallelize_1d_with_thread(pool_of(context.threads), run_panel, &work, panels, 0);
    return ok_status();
  }

  size_t workspace_bytes() const override { return threads_ * panel_bytes(); }
  size_t state_bytes() const override { return const_cast<PackedWeights&>(own_packed_).bytes(); }
  bool reads_constants() const override { return !shared_; }

 private:
  static constexpr uint32_t kSeed = 0x63760801;  // "cv", int8, layout 1
  using RunFunction = void (*)(const ConvShape&, const ConvTask&, const uint8_t*);
  struct Work {
    const Int8Conv* conv;
    const int8_t* x;
    int8_t* y;
    int16_t* panels;
  };

  static void run_panel(void* context, size_t thread, size_t index) {
    const Work& work = *static_cast<const Work*>(context);
    const Int8Conv& conv = *work.conv;
    ConvTask task;
    task.x = work.x;
    task.y = work.y;
    task.panel = work.panels + thread * (conv.panel_bytes() / sizeof(int16_t));
    task.first = static_cast<int64_t>(index) * conv.panel_;
    task.count = static_cast<int32_t>(std::min<int64_t>(conv.panel_, conv.pixels_ - task.first));
    conv.run_(conv.shape_, task, conv.packed_);
  }

  size_t panel_bytes() const {
    return static_cast<size_t>(panel_) * static_cast<size_t>(shape_.row()) * sizeof(int16_t);
  }

  // As many pixels as stay beside the core, in even shares.
  void set_panel(const OpContext& context) {
    constexpr int64_t kPanelBytes = int64_t{160} * 1024, kMostPixels = 128;
    pixels_ = context.output().dims[0] * shape_.out_pixels();
    threads_ = thread_count(context.threads);
    const auto row_bytes = static_cast<int64_t>(shape_.row()) * static_cast<int64_t>(sizeof(int16_t));
    int64_t most = std::clamp<int64_t>(kPanelBytes / row_bytes, kConvRows, kMostPixels);
    const auto threads = static_cast<int64_t>(threads_);
    most = std::min(most, std::max<int64_t>((pixels_ + threads - 1) / threads, 1));
    const int64_t panels = std::max<int64_t>((pixels_ + most - 1) / most, 1);
    panel_ = round_up(static_cast<int32_t>((pixels_ + panels - 1) / panels), kConvRows);
  }

  void set_shape(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    const plan::Conv2d& conv = *context.op->attributes_as_Conv2d();
    const QRange range = q_range(conv.clamp());
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
    shape_.y_pixel = y.pixel_stride;
    shape_.x_zero = x.zero_point;
    shape_.y_zero = y.zero_point;
    shape_.y_min = range.min;
    shape_.y_max = range.max;
  }

  ConvShape shape_;
  int64_t pixels_ = 0;  // output pixels of all images
  int32_t panel_ = 0;   // pixels of a panel
  size_t threads_ = 1;
  RunFunction run_ = nullptr;
  const uint8_t* packed_ = nullptr;
  bool shared_ = false;       // the weights are in the model's store
  PackedWeights own_packed_;  // used when the model has none
};

}  // namespace

bool int8_conv_pays() {
#if defined(__x86_64__) || defined(__i386__)
  // XNNPACK's AVX2 kernels widen bytes by the same instructions but multiply fewer of them at a time; those
  // for later instruction sets multiply bytes.
  return cpuinfo_initialize() && cpuinfo_has_x86_avx2() && !cpuinfo_has_x86_avx512bw() &&
         !cpuinfo_has_x86_avxvnni();
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
  constexpr int64_t kMostDepth = int64_t{1} << 20;
  if (int64_t{w.dims[1]} * w.dims[2] > kMostDepth || w.elements / w.dims[0] > kMostDepth)
    return unsupported(context, "too large for a panel");
  if (x.elements == 0 || w.elements == 0) return unsupported(context, "empty");
  return make_kernel<Int8Conv>(context, out);
}

}  // namespace bantam::kernels

#endif
