#include "support.h"

namespace bantam::test {
namespace {

struct MatMulCase {
  Dims batch_a, batch_b, batch_y;
  int32_t m, k, n;
};

Dims with(Dims dims, int32_t rows, int32_t columns) {
  dims.push_back(rows);
  dims.push_back(columns);
  return dims;
}

void check_matmul(const MatMulCase& c, bool transpose_b, bool constant_b, plan::DType b_dtype) {
  Tensor a = floats(with(c.batch_a, c.m, c.k)), y = floats(with(c.batch_y, c.m, c.n));
  Tensor b(b_dtype, transpose_b ? with(c.batch_b, c.n, c.k) : with(c.batch_b, c.k, c.n));
  fill_uniform(a, 1);
  fill_uniform(b, 2);
  b.is_constant = constant_b;
  plan::MatMulT attributes;
  attributes.transpose_b = transpose_b;
  OneOp op = make_op(plan::OpCode::kMatMul, {&a, &b}, y, attributes);
  const auto values_a = doubles(a), values_b = doubles(b);
  std::vector<double> expected(static_cast<size_t>(y.info.elements));
  for_each_index(with(c.batch_y, c.m, c.n), [&](const Index& i, size_t at) {
    for (int32_t k = 0; k < c.k; ++k) {
      Index in_a = i, in_b = i;
      in_a.back() = k;
      in_b[in_b.size() - 2] = transpose_b ? i.back() : k;
      in_b.back() = transpose_b ? k : i.back();
      expected[at] +=
          broadcast_at(values_a, with(c.batch_a, c.m, c.k), in_a) *
          broadcast_at(values_b, transpose_b ? with(c.batch_b, c.n, c.k) : with(c.batch_b, c.k, c.n), in_b);
    }
  });
  check_op(op, expected, {1e-5, 1e-5});
}

TEST_CASE("MatMul") {
  const MatMulCase cases[] = {{{}, {}, {}, 5, 7, 9},
                              {{}, {}, {}, 1, 64, 33},
                              {{3}, {3}, {3}, 4, 8, 6},
                              {{2, 3}, {}, {2, 3}, 17, 5, 31},
                              {{}, {4}, {4}, 2, 3, 4},
                              {{2, 1, 3}, {1, 4, 3}, {2, 4, 3}, 3, 5, 2},
                              {{2, 1, 3, 1, 2}, {1, 2, 1, 3, 1}, {2, 2, 3, 3, 2}, 2, 3, 4}};
  for (const MatMulCase& c : cases) {
    CAPTURE(c.batch_a, c.batch_b, c.m, c.k, c.n);
    for (const bool transpose_b : {false, true}) {
      check_matmul(c, transpose_b, false, plan::DType::kFloat32);
      check_matmul(c, transpose_b, true, plan::DType::kFloat32);
      if (c.batch_b.empty()) check_matmul(c, transpose_b, true, plan::DType::kFloat16);
    }
  }
}

}  // namespace
}  // namespace bantam::test
