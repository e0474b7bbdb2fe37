#include "int8/highway_targets.h"
#include "int8/int8_kernels.h"
#include "int8/lookup.h"
#include "kernel_support.h"
#include "threads.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "int8/normalize_image.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

template <int kChannels, typename T>
void normalize_pixels(const T* table, const uint8_t* x, T* y, size_t pixels) {
  for (size_t i = 0; i < pixels; ++i) {
    for (int c = 0; c < kChannels; ++c) y[c] = table[256 * c + x[c]];
    x += kChannels;
    y += kChannels;
  }
}

#if HWY_TARGET <= HWY_AVX3_DL

// The lanes of each channel in each of the vectors after which the pattern repeats.
template <int kChannels>
struct ChannelLanes {
  static constexpr int kPhases = kChannels == 3 ? 3 : 1;

  uint64_t lanes[kPhases][kChannels] = {};

  constexpr ChannelLanes() {
    for (int i = 0; i < 64 * kPhases; ++i) lanes[i / 64][i % kChannels] |= uint64_t{1} << i % 64;
  }
};

// Looks every byte up in the tables of its own channel only, without taking the channels apart.
template <int kChannels>
void normalize_bytes(const uint8_t* table, const uint8_t* x, uint8_t* y, size_t pixels) {
  static constexpr ChannelLanes<kChannels> kLanes;
  constexpr int kPhases = ChannelLanes<kChannels>::kPhases;
  __m512i t[kChannels][4];
  for (int c = 0; c < kChannels; ++c) {
    for (int i = 0; i < 4; ++i) t[c][i] = _mm512_loadu_si512(table + 256 * c + 64 * i);
  }
  const size_t count = pixels * kChannels;
  size_t i = 0;
  for (; i + 64 * kPhases <= count; i += 64 * kPhases) {
    for (int phase = 0; phase < kPhases; ++phase) {
      __m512i v = _mm512_loadu_si512(x + i + 64 * phase);
      const __mmask64 high = _mm512_movepi8_mask(v);
      for (int c = 0; c < kChannels; ++c) {
        const __mmask64 lanes = kLanes.lanes[phase][c];
        v = _mm512_mask2_permutex2var_epi8(t[c][0], v, lanes & ~high, t[c][1]);
        v = _mm512_mask2_permutex2var_epi8(t[c][2], v, lanes & high, t[c][3]);
      }
      _mm512_storeu_si512(y + i + 64 * phase, v);
    }
  }
  normalize_pixels<kChannels>(table, x + i, y + i, (count - i) / kChannels);
}

#else

template <int kChannels>
void normalize_bytes(const uint8_t* table, const uint8_t* x, uint8_t* y, size_t pixels) {
  normalize_pixels<kChannels>(table, x, y, pixels);
}

#endif

void normalize_bytes_3(const uint8_t* table, const uint8_t* x, uint8_t* y, size_t pixels) {
  normalize_bytes<3>(table, x, y, pixels);
}
void normalize_bytes_4(const uint8_t* table, const uint8_t* x, uint8_t* y, size_t pixels) {
  normalize_bytes<4>(table, x, y, pixels);
}

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace bantam::kernels {

HWY_EXPORT(normalize_bytes_3);
HWY_EXPORT(normalize_bytes_4);

namespace {

void normalize_floats(const float* table, const uint8_t* x, float* y, size_t pixels, int32_t channels) {
  switch (channels) {
    case 1:
      return HWY_NAMESPACE::normalize_pixels<1>(table, x, y, pixels);
    case 3:
      return HWY_NAMESPACE::normalize_pixels<3>(table, x, y, pixels);
    default:
      return HWY_NAMESPACE::normalize_pixels<4>(table, x, y, pixels);
  }
}

class NormalizeImage final : public Kernel {
 public:
  Status init(const OpContext& context) {
    const TensorInfo& x = context.input(0);
    channels_ = x.dims[x.rank - 1];
    pixels_ = x.elements / channels_;
    is_float_ = context.output().dtype == plan::DType::kFloat32;
    if (channels_ == 1 && !is_float_) one_channel_.init(static_cast<const uint8_t*>(context.input(1).data));
    return ok_status();
  }

  Status run(const RunContext& context) override {
    const uint8_t* x = input_as<uint8_t>(context, 0);
    parallel_ranges(context.threads, pixels_, tile_for(2 * channels_), [&](int64_t begin, int64_t end) {
      const int64_t offset = begin * channels_;
      const auto count = static_cast<size_t>(end - begin);
      if (is_float_) {
        normalize_floats(input_as<float>(context, 1), x + offset, output_as<float>(context) + offset, count,
                         channels_);
      } else {
        normalize(input_as<uint8_t>(context, 1), x + offset, output_as<uint8_t>(context) + offset, count);
      }
    });
    return ok_status();
  }

 private:
  void normalize(const uint8_t* table, const uint8_t* x, uint8_t* y, size_t pixels) const {
    switch (channels_) {
      case 1:
        return lookup_bytes(one_channel_, x, y, pixels);
      case 3:
        return HWY_DYNAMIC_DISPATCH(normalize_bytes_3)(table, x, y, pixels);
      default:
        return HWY_DYNAMIC_DISPATCH(normalize_bytes_4)(table, x, y, pixels);
    }
  }

  LookupTable one_channel_;
  int32_t channels_ = 0;
  int64_t pixels_ = 0;
  bool is_float_ = false;
};

}  // namespace

// Relies on dense tensors.
Status create_normalize_image(const OpContext& context, Kernel** out) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& table = context.input(1);
  const TensorInfo& y = context.output();
  const int32_t channels = x.rank == 0 ? 0 : x.dims[x.rank - 1];
  if (x.dtype != plan::DType::kUInt8 || (y.dtype != plan::DType::kInt8 && y.dtype != plan::DType::kFloat32) ||
      table.dtype != y.dtype) {
    return unsupported(context, "an image is normalized from uint8 to int8 or float32");
  }
  if ((channels != 1 && channels != 3 && channels != 4) || table.elements != 256 * channels) {
    return unsupported(context, "an image has 1, 3 or 4 channels, and 256 values in the table for each");
  }
  if (!x.dense() || !y.dense() || table.data == nullptr) {
    return unsupported(context, "an image is dense and its table constant");
  }
  return make_kernel<NormalizeImage>(context, out);
}

}  // namespace bantam::kernels

#endif
