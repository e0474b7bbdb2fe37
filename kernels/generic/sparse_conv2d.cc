#include <algorithm>

#include "generic/fallbacks.h"
#include "kernel_support.h"
#include "packed_weights.h"
#include "rounding.h"
#include "threads.h"
#include "vector/sparse_rows.h"
#include "xnn/constants.h"

namespace bantam::kernels {

#if defined(__x86_64__) || defined(__i386__)

namespace {

constexpr int64_t kManyChannels = 256;  // of the input, of which a smaller tile stays near the core

bool is_pointwise(const OpContext& context) {
  const TensorInfo& w = context.input(1);
  const plan::Conv2d& a = *context.op->attributes_as_Conv2d();
  return w.dims[1] == 1 && w.dims[2] == 1 && a.stride_h() == 1 && a.stride_w() == 1 && a.groups() == 1 &&
         a.pad_top() + a.pad_bottom() + a.pad_left() + a.pad_right() == 0;
}

int64_t pixels_of(const OpContext& context) { return context.input(0).elements / context.input(0).dims[3]; }

int64_t tile_of(const OpContext& context) {
  const bool small = context.input(0).dims[3] >= kManyChannels || pixels_of(context) < kSparseTile;
  return small ? kSmallSparseTile : kSparseTile;
}

// Time relative to XNNPACK's dense kernels, as measured with AVX-512 (benchmarks/sparsity): that of the
// weights that are not zero, and of changing pixels' and channels' places.
bool pays(const OpContext& context, int64_t nonzero) {
  constexpr double kPerWeight = 2.3, kPerWeightSmall = 4.2, kPerElement = 14, kWorthwhile = 0.85;
  const TensorInfo& w = context.input(1);
  const double outputs = w.dims[0], depth = w.dims[3];
  const int64_t tile = tile_of(context), pixels = pixels_of(context);
  if (pixels < tile) return false;
  const double computed = static_cast<double>(round_up(pixels, tile)) / static_cast<double>(pixels);
  const double per_weight = tile == kSparseTile ? kPerWeight : kPerWeightSmall;
  const double cost =
      per_weight * static_cast<double>(nonzero) / (outputs * depth) + kPerElement * (1 / outputs + 1 / depth);
  return cost * computed < kWorthwhile;
}

// How many weights are not 0: kept among the packed weights, so that they are looked at once.
class NonzeroCount {
 public:
  Status load(const OpContext& context) {
    return count_.load(context, 0, kSeed, sizeof(int64_t), [&](void* block) {
      const TensorInfo& w = context.input(1);
      FloatConstant weights;
      if (!weights.load(&w)) return out_of_memory(context);
      *static_cast<int64_t*>(block) =
          w.elements - std::count(weights.data(), weights.data() + w.elements, 0.0f);
      return ok_status();
    });
  }
  int64_t value() const { return *count_.as<int64_t>(); }

 private:
  static constexpr uint32_t kSeed = 0x6e7a0001;  // "nz", layout 1

  OpWeights count_;
};

class SparseKernel final : public Kernel {
 public:
  // `nonzero`: how many weights are not 0.
  Status init(const OpContext& context, const int64_t& nonzero) {
    const TensorInfo& x = context.input(0);
    const TensorInfo& w = context.input(1);
    const TensorInfo& y = context.output();
    const Range range(context.op->attributes_as_Conv2d()->clamp());
    pixels_ = pixels_of(context);
    tile_ = tile_of(context);
    product_ = {w.dims[3], w.dims[0], x.pixel_stride, y.pixel_stride, range.min, range.max};
    rows_ = sparse_rows(tile_);
    tasks_ = std::min<int64_t>(static_cast<int64_t>(thread_count(context.threads)), pixels_ / tile_);
    const size_t bytes =
        (static_cast<size_t>(product_.channels) + static_cast<size_t>(nonzero)) * sizeof(SparseWeight);
    const uint32_t seed = kSeed + static_cast<uint32_t>(tile_);
    return weights_.load(context, 0, seed, bytes, [&](void* block) {
      FloatConstant weights, bias;
      if (!weights.load(&w) || !bias.load(context.has_input(2) ? &context.input(2) : nullptr))
        return out_of_memory(context);
      pack(weights.data(), bias.data(), static_cast<SparseChannel*>(block));
      return ok_status();
    });
  }

  // Each task has a scratch of its own.
  Status run(const RunContext& context) override {
    const float* x = input_as<float>(context, 0);
    float* y = output_as<float>(context);
    const int64_t tiles = pixels_ / tile_;
    parallel_ranges(context.threads, tasks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t first = task * tiles / tasks_ * tile_;
        const int64_t last = task + 1 == tasks_ ? pixels_ : (task + 1) * tiles / tasks_ * tile_;
        rows_(product_, x + first * product_.x_pixel, weights_.as<SparseChannel>(),
              y + first * product_.y_pixel, last - first,
              static_cast<float*>(context.workspace) + task * scratch_floats());
      }
    });
    return ok_status();
  }

  size_t workspace_bytes() const override {
    return static_cast<size_t>(tasks_ * scratch_floats()) * sizeof(float);
  }
  size_t state_bytes() const override { return weights_.own_bytes(); }
  bool reads_constants() const override { return weights_.reads_constants(); }

 private:
  static constexpr uint32_t kSeed = 0x73700100;  // "sp", layout 1

  int64_t scratch_floats() const { return (product_.depth + 4) * tile_; }

  void pack(const float* weights, const float* bias, SparseChannel* at) const {
    for (int64_t o = 0; o < product_.channels; ++o) {
      SparseChannel& channel = *at++;
      channel = {bias == nullptr ? 0 : bias[o], 0};
      for (int64_t k = 0; k < product_.depth; ++k) {
        const float weight = weights[o * product_.depth + k];
        if (weight == 0) continue;
        *reinterpret_cast<SparseWeight*>(at++) = {weight, static_cast<int32_t>(k * tile_)};
        ++channel.count;
      }
    }
  }

  SparseProduct product_;
  SparseRows rows_ = nullptr;
  int64_t pixels_ = 0, tile_ = 0, tasks_ = 1;
  OpWeights weights_;
};

}  // namespace

Status create_sparse_conv2d(const OpContext& context, Kernel** out) {
  const TensorInfo& w = context.input(1);
  constexpr int64_t kMostDepth = int64_t{1} << 16;
  if (!is_pointwise(context) || w.dims[3] > kMostDepth || sparse_rows(kSparseTile) == nullptr ||
      !pays(context, 0))
    return unsupported(context, "another convolution");
  NonzeroCount nonzero;
  BANTAM_RETURN_IF_ERROR(nonzero.load(context));
  if (!pays(context, nonzero.value())) return unsupported(context, "not sparse enough");
  return make_kernel<SparseKernel>(context, out, nonzero.value());
}

#else

// Not measured on others, so not there.
Status create_sparse_conv2d(const OpContext& context, Kernel**) {
  return unsupported(context, "no sparse kernel for this CPU");
}

#endif

}  // namespace bantam::kernels
