#include "reference/node.h"

namespace bantam::tests {
namespace {

Array gemm(const Node& node) {
  const Array &a = node.in(0), &b = node.in(1);
  const bool trans_a = node.i("transA", 0) != 0, trans_b = node.i("transB", 0) != 0;
  const double alpha = node.f("alpha", 1), beta = node.f("beta", 1);
  const int64_t rows = a.shape[trans_a ? 1 : 0], depth = a.shape[trans_a ? 0 : 1],
                columns = b.shape[trans_b ? 0 : 1];
  return make({rows, columns}, [&](const Index& at) {
    double sum = 0;
    for (int64_t k = 0; k < depth; ++k) {
      sum += a.at(trans_a ? Index{k, at[0]} : Index{at[0], k}) *
             b.at(trans_b ? Index{at[1], k} : Index{k, at[1]});
    }
    return alpha * sum + (node.has_in(2) ? beta * at_broadcast(node.in(2), at) : 0);
  });
}

// numpy.matmul: vectors are rows or columns, leading axes broadcast.
Array mat_mul(const Node& node) {
  Array a = node.in(0), b = node.in(1);
  const bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) a.shape.insert(a.shape.begin(), 1);
  if (column) b.shape.push_back(1);
  const int64_t depth = a.shape.back();
  Index shape =
      broadcast(Index(a.shape.begin(), a.shape.end() - 2), Index(b.shape.begin(), b.shape.end() - 2));
  shape.push_back(a.shape[a.shape.size() - 2]);
  shape.push_back(b.shape.back());
  Array y = make(shape, [&](const Index& at) {
    Index left = at, right = at;
    double sum = 0;
    for (int64_t k = 0; k < depth; ++k) {
      left.back() = k;
      right[right.size() - 2] = k;
      sum += at_broadcast(a, left) * at_broadcast(b, right);
    }
    return sum;
  });
  if (column) y.shape.pop_back();
  if (row) y.shape.erase(y.shape.end() - (column ? 1 : 2));
  return y;
}

}  // namespace

Outputs run_matrix(const Node& node) {
  if (node.proto.op_type() == "Gemm") return {gemm(node)};
  if (node.proto.op_type() == "MatMul") return {mat_mul(node)};
  return {};
}

}  // namespace bantam::tests
