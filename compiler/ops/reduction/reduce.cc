#include <algorithm>
#include <numeric>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

using plan::ReduceKind;

TensorType infer_reduce(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::ReduceT>(node);
  expect_inputs(node, 1);
  const TensorType& x = input_type(graph, node, 0);
  const bool integer = x.dtype == DType::kInt32 || x.dtype == DType::kInt64;
  const bool exact = attributes.kind == ReduceKind::kSum || attributes.kind == ReduceKind::kMax ||
                     attributes.kind == ReduceKind::kMin || attributes.kind == ReduceKind::kProd;
  if (!integer || !exact) expect_real(graph, node, 0);
  Shape kept = x.shape;
  for (int axis : attributes.axes) {
    expect_axis(node, axis, x.shape.size());
    kept[static_cast<size_t>(axis)] = 1;
  }
  if (attributes.keep_dims) return {x.dtype, kept};
  Shape shape;
  for (size_t i = 0; i < x.shape.size(); ++i) {
    const bool reduced = std::count(attributes.axes.begin(), attributes.axes.end(), static_cast<int>(i)) > 0;
    if (!reduced) shape.push_back(x.shape[i]);
  }
  return {x.dtype, shape};
}

namespace {

struct Reduction {
  ValueId x = kNoValue;
  std::vector<int> axes;
  bool keep_dims = true;
  bool nothing = false;  // noop_with_empty_axes
};

std::vector<int> all_axes(int rank) {
  std::vector<int> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// ONNX Reduce* 1, 11, 13, 18: axes are an input for ReduceSum since 13, for the others since 18.
Reduction read_reduction(NodeImporter& n) {
  expect_input_count(n, 1, 2);
  Reduction r;
  r.x = n.input(0);
  r.keep_dims = n.attr_int("keepdims", 1) != 0;
  const std::vector<int64_t> axes = n.ints_from_input_or_attr(1, "axes").value_or(std::vector<int64_t>());
  const bool noop = n.attr_int("noop_with_empty_axes", 0) != 0;
  r.nothing = axes.empty() && noop;
  if (n.rank_of(r.x) == 0 && !r.nothing) {
    if (!axes.empty()) n.fail("it names axes of a scalar");
    r.x = n.reshape(r.x, {1});
    r.keep_dims = false;
  }
  r.axes = axes.empty() ? all_axes(n.rank_of(r.x)) : checked_axes(n, axes, n.rank_of(r.x));
  return r;
}

ValueId reduce(NodeImporter& n, ReduceKind kind, ValueId x, const std::vector<int>& axes, bool keep_dims) {
  plan::ReduceT attributes;
  attributes.kind = kind;
  attributes.axes = axes;
  attributes.keep_dims = keep_dims;
  return n.emit(OpCode::kReduce, {x}, attributes);
}

ValueId global_pool(NodeImporter& n, ReduceKind kind, ValueId x) {
  if (n.rank_of(x) < 3) n.fail(fmt::format("input [{}]; supported: [N,C,...]", to_string(n.shape_of(x))));
  std::vector<int> axes = all_axes(n.rank_of(x));
  axes.erase(axes.begin(), axes.begin() + 2);
  return reduce(n, kind, x, axes, true);
}

}  // namespace

template <ReduceKind kind>
void import_reduce(NodeImporter& n) {
  const Reduction r = read_reduction(n);
  n.output(r.nothing ? r.x : reduce(n, kind, r.x, r.axes, r.keep_dims));
}

template void import_reduce<ReduceKind::kSum>(NodeImporter& n);
template void import_reduce<ReduceKind::kMean>(NodeImporter& n);
template void import_reduce<ReduceKind::kMax>(NodeImporter& n);
template void import_reduce<ReduceKind::kMin>(NodeImporter& n);
template void import_reduce<ReduceKind::kL2>(NodeImporter& n);
template void import_reduce<ReduceKind::kL1>(NodeImporter& n);
template void import_reduce<ReduceKind::kProd>(NodeImporter& n);
template void import_reduce<ReduceKind::kSumSquare>(NodeImporter& n);

void import_reduce_log_sum(NodeImporter& n) {
  const Reduction r = read_reduction(n);
  if (r.nothing) return n.output(r.x);
  n.output(n.unary(plan::UnaryKind::kLog, reduce(n, ReduceKind::kSum, r.x, r.axes, r.keep_dims)));
}

// log(sum(exp(x - m))) + m with m = max(x), which does not overflow.
void import_reduce_log_sum_exp(NodeImporter& n) {
  const Reduction r = read_reduction(n);
  if (r.nothing) return n.output(r.x);
  const ValueId most = reduce(n, ReduceKind::kMax, r.x, r.axes, true);
  const ValueId power = n.unary(plan::UnaryKind::kExp, n.binary(plan::BinaryKind::kSub, r.x, most));
  const ValueId sum = reduce(n, ReduceKind::kSum, power, r.axes, true);
  const ValueId result = n.binary(plan::BinaryKind::kAdd, n.unary(plan::UnaryKind::kLog, sum), most);
  Shape shape;
  for (int i = 0; i < n.rank_of(r.x); ++i) {
    const bool reduced = std::binary_search(r.axes.begin(), r.axes.end(), i);
    if (!reduced || r.keep_dims) shape.push_back(n.shape_of(result)[static_cast<size_t>(i)]);
  }
  n.output(n.reshape(result, shape));
}

ValueId global_average_pool(NodeImporter& n, ValueId x) { return global_pool(n, ReduceKind::kMean, x); }

void import_global_average_pool(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.output(global_average_pool(n, n.input(0)));
}
void import_global_max_pool(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.output(global_pool(n, ReduceKind::kMax, n.input(0)));
}

}  // namespace bantam::compiler
