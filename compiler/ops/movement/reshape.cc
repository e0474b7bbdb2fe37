// Reshape and the operators that are reshapes.
#include <algorithm>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_reshape(const Graph& graph, const Node& node) {
  expect_inputs(node, 1);
  const TensorType& x = input_type(graph, node, 0);
  const Shape& shape = output_type(graph, node).shape;
  if (element_count(x.shape) != element_count(shape)) {
    fail(node, fmt::format("[{}] cannot become [{}]", to_string(x.shape), to_string(shape)));
  }
  return {x.dtype, shape};
}

namespace {

// ONNX Reshape: 0 copies a dimension (unless allowzero), one -1 takes what is left.
Shape resolve_shape(const NodeImporter& n, const Shape& x, std::vector<int64_t> wanted, bool allow_zero) {
  if (wanted.size() > 64) n.fail(fmt::format("a shape of {} dimensions", wanted.size()));
  std::optional<size_t> open;
  int64_t known = 1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && !allow_zero) {
      if (i >= x.size()) n.fail(fmt::format("dimension {} is to be copied from [{}]", i, to_string(x)));
      wanted[i] = x[i];
    }
    if (wanted[i] == -1) {
      if (open) n.fail("two dimensions are -1");
      open = i;
      continue;
    }
    checked_int(n, wanted[i], "a dimension", 0, INT32_MAX);
    if (__builtin_mul_overflow(known, wanted[i], &known)) n.fail("a shape out of range");
  }
  if (!open) return wanted;
  const int64_t elements = element_count(x);
  if (known == 0 || elements % known != 0) {
    n.fail(fmt::format("the {} elements of [{}] cannot be divided by {}", elements, to_string(x), known));
  }
  wanted[*open] = elements / known;
  return wanted;
}

}  // namespace

// ONNX Reshape 5, 13, 14, 19, 21.
void import_reshape(NodeImporter& n) {
  expect_input_count(n, 2, 2);
  const ValueId x = n.input(0);
  const bool allow_zero = n.attr_int("allowzero", 0) != 0;
  const std::vector<int64_t> wanted = n.ints_of(n.constant(1, "shape"), "shape");
  n.output(n.reshape(x, resolve_shape(n, n.shape_of(x), wanted, allow_zero)));
}

// ONNX Flatten 1, 9, 11, 13, 21.
void import_flatten(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  const ValueId x = n.input(0);
  const Shape shape = n.shape_of(x);
  const int64_t stated = n.attr_int("axis", 1);
  const int axis = stated == n.rank_of(x) ? n.rank_of(x) : n.axis(stated, n.rank_of(x));
  n.output(n.reshape(x, {element_count({shape.begin(), shape.begin() + axis}),
                         element_count({shape.begin() + axis, shape.end()})}));
}

// ONNX Squeeze 1, 11 (attribute), 13, 21 (input).
void import_squeeze(NodeImporter& n) {
  expect_input_count(n, 1, 2);
  const ValueId x = n.input(0);
  const Shape shape = n.shape_of(x);
  const std::optional<std::vector<int64_t>> stated = n.ints_from_input_or_attr(1, "axes");
  std::vector<int> axes;
  if (stated) axes = checked_axes(n, *stated, n.rank_of(x));
  Shape out;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool named = std::binary_search(axes.begin(), axes.end(), static_cast<int>(i));
    if (named && shape[i] != 1) n.fail(fmt::format("dimension {} of [{}] is not 1", i, to_string(shape)));
    if (stated ? !named : shape[i] != 1) out.push_back(shape[i]);
  }
  n.output(n.reshape(x, out));
}

// ONNX Unsqueeze 1, 11 (attribute), 13, 21 (input).
void import_unsqueeze(NodeImporter& n) {
  expect_input_count(n, 1, 2);
  const ValueId x = n.input(0);
  const std::optional<std::vector<int64_t>> stated = n.ints_from_input_or_attr(1, "axes");
  if (!stated) n.fail("axes is missing");
  if (stated->size() > 64) n.fail(fmt::format("{} axes", stated->size()));
  Shape shape = n.shape_of(x);
  for (int axis : checked_axes(n, *stated, n.rank_of(x) + static_cast<int>(stated->size()))) {
    shape.insert(shape.begin() + axis, 1);
  }
  n.output(n.reshape(x, shape));
}

}  // namespace bantam::compiler
