#include "int8/int8_kernels.h"
#include "one_op.h"
#include "reference.h"

namespace bantam::test {
namespace {

struct PoolCase {
  std::vector<int32_t> x;
  int32_t kernel, stride, dilation, pad_before, pad_after,
      extra;  // extra: rows and columns that ceil_mode adds
  bool count_pad;
};

void check_pool(const PoolCase& c) {
  const auto out = [&](int32_t size) {
    return (size + c.pad_before + c.pad_after - c.dilation * (c.kernel - 1) - 1) / c.stride + 1 + c.extra;
  };
  Tensor x = int8_tensor(c.x, 0.05f, -9),
         y = int8_tensor({c.x[0], out(c.x[1]), out(c.x[2]), c.x[3]}, 0.031f, 4);
  randomize(x, 1);
  OneOp op(plan::OpCode::kAveragePool2d, {&x}, {&y});
  plan::Pool2dT pool;
  pool.kernel_h = pool.kernel_w = c.kernel;
  pool.stride_h = pool.stride_w = c.stride;
  pool.dilation_h = pool.dilation_w = c.dilation;
  pool.pad_top = pool.pad_left = c.pad_before;
  pool.pad_bottom = pool.pad_right = c.pad_after;
  pool.count_include_pad = c.count_pad;
  pool.clamp = std::make_unique<plan::Clamp>(0.0f, 0.0f, int8_t{-100}, int8_t{110});
  op.op.attributes.Set(std::move(pool));
  std::vector<int8_t> expected;
  for (int32_t n = 0; n < c.x[0]; ++n) {
    for (int32_t oy = 0; oy < y.info.dims[1]; ++oy) {
      for (int32_t ox = 0; ox < y.info.dims[2]; ++ox) {
        for (int32_t ch = 0; ch < c.x[3]; ++ch) {
          int32_t sum = 0, count = 0;
          for (int32_t ky = 0; ky < c.kernel; ++ky) {
            for (int32_t kx = 0; kx < c.kernel; ++kx) {
              const int32_t iy = oy * c.stride - c.pad_before + ky * c.dilation;
              const int32_t ix = ox * c.stride - c.pad_before + kx * c.dilation;
              const bool inside = iy >= 0 && iy < c.x[1] && ix >= 0 && ix < c.x[2];
              count += inside || (c.count_pad && iy < c.x[1] + c.pad_after && ix < c.x[2] + c.pad_after);
              if (inside) sum += x.data<int8_t>()[((n * c.x[1] + iy) * c.x[2] + ix) * c.x[3] + ch] + 9;
            }
          }
          expected.push_back(requantize(sum, 0.05f / 0.031f / static_cast<float>(count), 4, -100, 110));
        }
      }
    }
  }
  check_everywhere(op, kernels::create_int8_average_pool, expected);
}

TEST_CASE("int8 average pool") {
  check_pool({{2, 8, 9, 64}, 2, 2, 1, 0, 0, 0, false});
  check_pool({{1, 12, 12, 24}, 3, 1, 1, 1, 1, 0, false});
  check_pool({{1, 12, 12, 24}, 3, 1, 1, 1, 1, 0, true});
  check_pool({{1, 11, 13, 130}, 3, 2, 1, 1, 1, 0, true});
  check_pool({{1, 10, 10, 3}, 3, 2, 1, 0, 0, 1, false});
  check_pool({{1, 10, 10, 3}, 3, 2, 1, 0, 1, 0, true});
  check_pool({{1, 9, 9, 17}, 2, 1, 3, 1, 2, 0, true});
  check_pool({{1, 20, 20, 70}, 20, 1, 1, 0, 0, 0, false});
}

struct ReduceCase {
  std::vector<int32_t> x;
  std::vector<int32_t> axes;
};

void check_reduce(const ReduceCase& c, plan::ReduceKind kind) {
  const bool extremum = kind == plan::ReduceKind::kMax || kind == plan::ReduceKind::kMin;
  const float y_scale = extremum ? 0.05f : kind == plan::ReduceKind::kSum ? 0.9f : 0.0077f;
  std::vector<int32_t> dims = c.x;
  float count = 1;
  for (int32_t axis : c.axes) {
    int32_t& dim = dims[static_cast<size_t>(axis < 0 ? axis + static_cast<int32_t>(dims.size()) : axis)];
    count *= static_cast<float>(dim);
    dim = 1;
  }
  Tensor x = int8_tensor(c.x, 0.05f, -9), y = int8_tensor(dims, y_scale, extremum ? -9 : 3);
  randomize(x, 2);
  OneOp op(plan::OpCode::kReduce, {&x}, {&y});
  plan::ReduceT reduce;
  reduce.kind = kind;
  reduce.axes = c.axes;
  op.op.attributes.Set(std::move(reduce));
  std::vector<int32_t> sum(static_cast<size_t>(y.info.elements)), top(sum.size(), -128),
      bottom(sum.size(), 127);
  for (size_t i = 0; i < static_cast<size_t>(x.info.elements); ++i) {
    size_t rest = i, index = 0, stride = 1;
    for (size_t axis = dims.size(); axis-- > 0;) {
      const auto dim = static_cast<size_t>(c.x[axis]);
      index += (dims[axis] == 1 ? 0 : rest % dim) * stride;
      rest /= dim;
      stride *= static_cast<size_t>(dims[axis]);
    }
    const int32_t v = x.data<int8_t>()[i];
    sum[index] += v + 9;
    top[index] = std::max(top[index], v);
    bottom[index] = std::min(bottom[index], v);
  }
  const float scale = kind == plan::ReduceKind::kMean ? 0.05f / y_scale / count : 0.05f / y_scale;
  std::vector<int8_t> expected;
  for (size_t i = 0; i < sum.size(); ++i) {
    expected.push_back(kind == plan::ReduceKind::kMax   ? static_cast<int8_t>(top[i])
                       : kind == plan::ReduceKind::kMin ? static_cast<int8_t>(bottom[i])
                                                        : requantize(sum[i], scale, 3));
  }
  check_everywhere(op, kernels::create_int8_reduce, expected);
}

TEST_CASE("int8 reductions") {
  for (const auto kind :
       {plan::ReduceKind::kMean, plan::ReduceKind::kSum, plan::ReduceKind::kMax, plan::ReduceKind::kMin}) {
    for (const ReduceCase& c :
         {ReduceCase{{2, 7, 7, 320}, {1, 2}}, ReduceCase{{1, 7, 7, 1280}, {1, 2}},
          ReduceCase{{1, 33, 31, 13}, {1, 2}}, ReduceCase{{3, 5, 70}, {-1}}, ReduceCase{{2, 3, 4, 1}, {1, 2}},
          ReduceCase{{4, 1000}, {1}}, ReduceCase{{5, 3, 7}, {0}}, ReduceCase{{3, 4, 5}, {0, 1, 2}},
          ReduceCase{{3, 1, 5}, {1}}}) {
      check_reduce(c, kind);
    }
  }
}

TEST_CASE("int8 reductions over axes that are apart are refused") {
  Tensor x = int8_tensor({3, 4, 5}), y = int8_tensor({1, 4, 1});
  OneOp op(plan::OpCode::kReduce, {&x}, {&y});
  plan::ReduceT reduce;
  reduce.kind = plan::ReduceKind::kMean;
  reduce.axes = {0, 2};
  op.op.attributes.Set(std::move(reduce));
  CHECK(op.run(kernels::create_int8_reduce).code() == StatusCode::kUnsupported);
}

}  // namespace
}  // namespace bantam::test
