#include <algorithm>
#include <limits>

#include "support.h"

namespace bantam::test {
namespace {

struct PoolCase {
  int32_t n, h, w, c, kernel, stride, dilation, pad_before, pad_after;
  int32_t extra;  // rows and columns that ceil_mode adds
};

constexpr PoolCase kCases[] = {{1, 8, 9, 16, 2, 2, 1, 0, 0, 0},   {2, 11, 7, 5, 3, 2, 1, 1, 1, 0},
                               {1, 12, 12, 33, 3, 1, 1, 1, 1, 0}, {1, 10, 10, 3, 3, 2, 1, 0, 0, 1},
                               {1, 13, 13, 7, 3, 1, 2, 2, 2, 0},  {1, 9, 9, 64, 9, 1, 1, 0, 0, 0},
                               {1, 9, 9, 4, 2, 3, 1, 0, 0, 0},    {1, 14, 14, 10, 5, 3, 1, 0, 2, 0},
                               {1, 6, 6, 8, 1, 2, 1, 0, 0, 0},    {1, 7, 7, 6, 2, 2, 1, 1, 1, 1}};

struct Window {
  std::vector<double> values;  // inside the input
  int32_t padded = 0;          // taps in the input or its padding
};

Window window_at(const PoolCase& p, const std::vector<double>& x, const Index& i) {
  Window window;
  for (int32_t ky = 0; ky < p.kernel; ++ky) {
    for (int32_t kx = 0; kx < p.kernel; ++kx) {
      const int32_t y = i[1] * p.stride + ky * p.dilation - p.pad_before;
      const int32_t z = i[2] * p.stride + kx * p.dilation - p.pad_before;
      window.padded += y < p.h + p.pad_after && z < p.w + p.pad_after;
      if (y < 0 || y >= p.h || z < 0 || z >= p.w) continue;
      window.values.push_back(x[size_t(((i[0] * p.h + y) * p.w + z) * p.c + i[3])]);
    }
  }
  return window;
}

template <typename Pool>
void check_pool(const PoolCase& p, plan::OpCode code, plan::DType dtype, bool count_pad, const Pool& pool) {
  const auto out = [&](int32_t size) {
    return (size + p.pad_before + p.pad_after - (p.kernel - 1) * p.dilation - 1) / p.stride + 1 + p.extra;
  };
  const std::vector<float> scales =
      dtype == plan::DType::kInt8 ? std::vector<float>{0.1f} : std::vector<float>{};
  const Dims dims = {p.n, out(p.h), out(p.w), p.c};
  Tensor x(dtype, {p.n, p.h, p.w, p.c}, scales, 0, p.c + 3), y(dtype, dims, scales, 0, p.c + 1);
  fill_uniform(x, 1, -100, 100);
  plan::Pool2dT a;
  a.kernel_h = a.kernel_w = p.kernel;
  a.stride_h = a.stride_w = p.stride;
  a.dilation_h = a.dilation_w = p.dilation;
  a.pad_top = a.pad_left = p.pad_before;
  a.pad_bottom = a.pad_right = p.pad_after;
  a.ceil_mode = p.extra > 0;
  a.count_include_pad = count_pad;
  a.clamp = std::make_unique<plan::Clamp>(-90.0f, 95.0f, int8_t{-90}, int8_t{95});
  OneOp op = make_op(code, {&x}, y, std::move(a));
  const std::vector<double> values = doubles(x);
  std::vector<double> expected(static_cast<size_t>(y.info.elements));
  for_each_index(dims, [&](const Index& i, size_t at) {
    expected[at] = std::clamp(pool(window_at(p, values, i)), -90.0, 95.0);
  });
  check_op(op, expected, {1e-5, 1e-5});
}

TEST_CASE("MaxPool2d") {
  for (const PoolCase& p : kCases) {
    CAPTURE(p.h, p.c, p.kernel, p.stride, p.dilation, p.pad_after, p.extra);
    for (const plan::DType dtype : {plan::DType::kFloat32, plan::DType::kInt8}) {
      check_pool(p, plan::OpCode::kMaxPool2d, dtype, false, [](const Window& window) {
        double best = -std::numeric_limits<double>::infinity();
        for (const double value : window.values) best = std::max(best, value);
        return best;
      });
    }
  }
}

TEST_CASE("AveragePool2d") {
  for (const PoolCase& p : kCases) {
    CAPTURE(p.h, p.c, p.kernel, p.stride, p.dilation, p.pad_after, p.extra);
    for (const bool count_pad : {false, true}) {
      check_pool(
          p, plan::OpCode::kAveragePool2d, plan::DType::kFloat32, count_pad, [&](const Window& window) {
            double sum = 0;
            for (const double value : window.values) sum += value;
            const double divisor = count_pad ? window.padded : static_cast<double>(window.values.size());
            return divisor == 0 ? 0 : sum / divisor;
          });
    }
  }
}

}  // namespace
}  // namespace bantam::test
