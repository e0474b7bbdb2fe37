#include "xnn/row_gather.h"

#include <algorithm>
#include <cstring>

#include "rounding.h"

namespace bantam::kernels {

namespace {

#if defined(__x86_64__) || defined(__i386__)
constexpr int32_t kDepth = 8;  // of XNNPACK's dot products, in bytes
#else
constexpr int32_t kDepth = 4;
#endif
constexpr int32_t kChunk = 8;  // copied at once; the rest of the last chunk is rubbish, met by weights of 0
constexpr int64_t kBandBytes = int64_t{128} * 1024;

}  // namespace

bool RowGather::pays(const OpContext& context) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& w = context.input(1);
  const plan::Conv2d& a = *context.op->attributes_as_Conv2d();
  constexpr int32_t kFewChannels = 7, kWidestKernel = 16;
  if (x.dtype != plan::DType::kInt8 || a.groups() != 1 || a.dilation_h() != 1 || a.dilation_w() != 1)
    return false;
  if (!x.dense() || w.dims[3] > kFewChannels || w.dims[2] < 2) return false;
  if (std::max({w.dims[1], w.dims[2], a.stride_h(), a.stride_w()}) > kWidestKernel) return false;
  if (a.pad_left() >= w.dims[2] || a.pad_top() >= w.dims[1]) return false;
  // A 7x7 of 3 channels became 2.4 times as fast (AVX-512 VNNI), a 7x4 of 6 channels 1.4 times; a 3x3 of 3
  // channels, with less to save, no faster.
  return 3 * w.dims[2] * round_up(w.dims[3], kDepth) >= 4 * round_up(w.dims[2] * w.dims[3], kDepth);
}

RowGather::RowGather(const OpContext& context) {
  const TensorInfo& x = context.input(0);
  const TensorInfo& w = context.input(1);
  const plan::Conv2d& a = *context.op->attributes_as_Conv2d();
  height_ = x.dims[1];
  width_ = x.dims[2];
  out_width_ = context.output().dims[2];
  pixel_ = x.dims[3];
  length_ = w.dims[2] * pixel_;
  stride_ = round_up(length_, kChunk);
  step_ = a.stride_w() * pixel_;
  before_ = a.pad_left() * pixel_;
  zero_point_ = static_cast<int8_t>(x.zero_point);
  row_step_ = a.stride_h();
  row_before_ = a.pad_top();

  const int64_t height = context.output().dims[1], row_bytes = int64_t{out_width_} * stride_;
  const int64_t most = std::max<int64_t>((kBandBytes / row_bytes - w.dims[1]) / row_step_ + 1, 1);
  const int64_t bands = (height + most - 1) / most;
  out_rows_ = static_cast<int32_t>((height + bands - 1) / bands);
  in_rows_ = (out_rows_ - 1) * row_step_ + w.dims[1];
}

size_t RowGather::bytes() const {
  return static_cast<size_t>(in_rows_) * static_cast<size_t>(out_width_) * static_cast<size_t>(stride_) +
         kReadPadding;
}

void RowGather::run(ThreadPool* threads, const int8_t* x, int32_t first, int8_t* y) const {
  const int64_t in_row = int64_t{width_} * pixel_, out_row = int64_t{out_width_} * stride_;
  const int64_t top = int64_t{first} * row_step_ - row_before_;
  parallel_ranges(threads, in_rows_, tile_for(out_row / kChunk), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (top + i >= 0 && top + i < height_) {
        gather_row(x + (top + i) * in_row, y + i * out_row);
      } else {
        std::memset(y + i * out_row, zero_point_, static_cast<size_t>(out_row));
      }
    }
  });
}

void RowGather::gather_row(const int8_t* x, int8_t* y) const {
  const int32_t row_bytes = width_ * pixel_;
  int32_t start = -before_;
  for (int32_t i = 0; i < out_width_; ++i, start += step_, y += stride_) {
    if (start >= 0 && start + length_ <= row_bytes) {
      // Reads up to 7 bytes behind the window, which tensors allow.
      for (int32_t k = 0; k < stride_; k += kChunk) std::memcpy(y + k, x + start + k, kChunk);
      continue;
    }
    std::memset(y, zero_point_, static_cast<size_t>(stride_));
    const int32_t first = std::max(start, 0), last = std::min(start + length_, row_bytes);
    if (first < last) std::memcpy(y + (first - start), x + first, static_cast<size_t>(last - first));
  }
}

}  // namespace bantam::kernels
