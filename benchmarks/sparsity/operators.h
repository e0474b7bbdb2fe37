// XNNPACK's float32 operators on data of their own, channels last and channels first, and bantam's sparse
// kernel.
#pragma once

#include <xnnpack.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace bantam::bench {

// NHWC: height = width = `size`. `kernel` 1, or 3 for depthwise ones with as much padding as keeps the size.
struct Conv {
  size_t size = 0, in = 0, out = 0;
  size_t kernel = 1, stride = 1;
  bool depthwise = false;

  size_t out_size() const { return (size - 1) / stride + 1; }
};

class Operator {
 public:
  Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;
  ~Operator() { xnn_delete_operator(operator_); }

  // Dense. Ends the program with a message where XNNPACK refuses, as the next but one does.
  void make_channels_last(const Conv& conv);
  // 1x1: sparse. Where XNNPACK refuses, as on x86 with AVX, what it would call on x86 without; false when
  // there is no such thing.
  bool make_channels_first(const Conv& conv, double sparsity);
  void make_transpose(size_t pixels, size_t channels, bool to_channels_first);
  // bantam's kernel for sparse weights, channels last; false where this CPU has none or has too few pixels.
  bool make_own(const Conv& conv, double sparsity);

  void run() const;

 private:
  void fill(const Conv& conv, double sparsity);
  bool make_microkernel(const Conv& conv);

  std::function<void()> direct_;  // instead of the operator
  xnn_operator_t operator_ = nullptr;
  std::vector<float> input_, output_, weights_, bias_, workspace_, packed_;
  std::vector<int32_t> steps_;
  std::vector<uint32_t> counts_;
};

}  // namespace bantam::bench
