// XNNPACK's float32 operators on data of their own, channels last and channels first.
#pragma once

#include <xnnpack.h>

#include <cstddef>
#include <memory>
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

  // Each ends the program with a message where XNNPACK refuses.
  void make_channels_last(const Conv& conv, double sparsity);
  void make_channels_first(const Conv& conv, double sparsity);  // 1x1: sparse kernels
  void make_transpose(size_t pixels, size_t channels, bool to_channels_first);

  void run() const;

 private:
  void fill(const Conv& conv, double sparsity);

  xnn_operator_t operator_ = nullptr;
  std::vector<float> input_, output_, weights_, bias_, workspace_;
};

}  // namespace bantam::bench
