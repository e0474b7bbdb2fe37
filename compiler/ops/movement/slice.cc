#include "ops/movement/slice.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_slice(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::SliceT>(node);
  expect_inputs(node, 1);
  const TensorType& x = input_type(graph, node, 0);
  const Shape& out = output_type(graph, node).shape;
  const size_t rank = x.shape.size();
  if (attributes.starts.size() != rank || attributes.steps.size() != rank || out.size() != rank) {
    fail(node, fmt::format("it does not describe {} dimensions", rank));
  }
  for (size_t i = 0; i < rank; ++i) {
    if (out[i] == 0) continue;
    const int64_t first = attributes.starts[i];
    const int64_t last = first + (out[i] - 1) * attributes.steps[i];
    if (out[i] < 0 || first < 0 || first >= x.shape[i] || last < 0 || last >= x.shape[i]) {
      fail(node, fmt::format("{} elements from {} with step {} lie outside dimension {} of [{}]", out[i],
                             first, attributes.steps[i], i, to_string(x.shape)));
    }
  }
  return {x.dtype, out};
}

SliceRange whole_range(const Shape& shape) {
  return {std::vector<int>(shape.size(), 0), std::vector<int>(shape.size(), 1), shape};
}

ValueId emit_slice(NodeImporter& n, ValueId x, const SliceRange& range) {
  const bool forward = std::all_of(range.steps.begin(), range.steps.end(), [](int step) { return step > 0; });
  if (forward && range.counts == n.shape_of(x)) return x;
  plan::SliceT attributes;
  attributes.starts = range.starts;
  attributes.steps = range.steps;
  return n.emit(OpCode::kSlice, {x}, attributes, TensorType{n.type_of(x).dtype, range.counts});
}

namespace {

// ONNX Slice: negative starts and ends count from the end, then both are clamped to the dimension.
void set_range(SliceRange& range, size_t axis, int64_t dim, int64_t start, int64_t end, int64_t step) {
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? dim : dim - 1;
  start = std::clamp(start < 0 ? start + dim : start, std::max<int64_t>(low, 0), std::max<int64_t>(high, 0));
  end = std::clamp(end < 0 ? end + dim : end, low, std::max(high, low));
  step = std::clamp<int64_t>(step, -dim - 1, dim + 1);
  const int64_t span = step > 0 ? end - start : start - end;
  const int64_t stride = std::abs(step);
  range.starts[axis] = static_cast<int>(start);
  range.steps[axis] = static_cast<int>(step);
  range.counts[axis] = span <= 0 ? 0 : (span + stride - 1) / stride;
}

std::vector<int64_t> required_ints(NodeImporter& n, int i, std::string_view what) {
  std::optional<std::vector<int64_t>> ints = n.ints_from_input_or_attr(i, what);
  if (!ints) n.fail(fmt::format("{} is missing", what));
  return *ints;
}

}  // namespace

// ONNX Slice 1 (attributes), 10, 11, 13 (inputs).
void import_slice(NodeImporter& n) {
  expect_input_count(n, 1, 5);
  const ValueId x = n.input(0);
  const Shape shape = n.shape_of(x);
  const std::vector<int64_t> starts = required_ints(n, 1, "starts");
  const std::vector<int64_t> ends = required_ints(n, 2, "ends");
  std::vector<int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = n.ints_from_input_or_attr(3, "axes").value_or(axes);
  const std::vector<int64_t> steps =
      n.has_input(4) ? n.ints_of(n.constant(4, "steps"), "steps") : std::vector<int64_t>(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    n.fail(fmt::format("{} starts, {} ends, {} axes and {} steps; all must be as many", starts.size(),
                       ends.size(), axes.size(), steps.size()));
  }
  checked_axes(n, axes, n.rank_of(x));
  SliceRange range = whole_range(shape);
  for (size_t i = 0; i < starts.size(); ++i) {
    if (steps[i] == 0) n.fail("a step is 0");
    const size_t axis = static_cast<size_t>(n.axis(axes[i], n.rank_of(x)));
    set_range(range, axis, shape[axis], starts[i], ends[i], steps[i]);
  }
  n.output(emit_slice(n, x, range));
}

namespace {

// Sizes of the parts: stated, or equal ones with the last one smaller (num_outputs, opset 18).
std::vector<int64_t> split_sizes(NodeImporter& n, int64_t dim) {
  const int64_t parts = n.output_count();
  if (parts < 1) n.fail("it has no outputs");
  const int64_t stated = n.attr_int("num_outputs", parts);
  if (stated != parts) n.fail(fmt::format("num_outputs is {}, but it has {} outputs", stated, parts));
  if (std::optional<std::vector<int64_t>> sizes = n.ints_from_input_or_attr(1, "split")) {
    if (static_cast<int64_t>(sizes->size()) != parts) {
      n.fail(fmt::format("{} sizes for {} outputs", sizes->size(), parts));
    }
    return *sizes;
  }
  if (n.opset() < 18 && dim % parts != 0)
    n.fail(fmt::format("{} cannot be split into {} equal parts", dim, parts));
  const int64_t size = (dim + parts - 1) / parts;
  std::vector<int64_t> sizes(static_cast<size_t>(parts), size);
  sizes.back() = dim - size * (parts - 1);
  return sizes;
}

}  // namespace

// ONNX Split 2, 11, 13, 18.
void import_split(NodeImporter& n) {
  expect_input_count(n, 1, 2);
  const ValueId x = n.input(0);
  const Shape shape = n.shape_of(x);
  const size_t axis = static_cast<size_t>(n.axis(n.attr_int("axis", 0), n.rank_of(x)));
  const std::vector<int64_t> sizes = split_sizes(n, shape[axis]);
  int64_t start = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t left = shape[axis] - start;
    if (sizes[i] < 0 || sizes[i] > left) {
      n.fail(fmt::format("part {} of {} elements, of {} left", i, sizes[i], left));
    }
    SliceRange range = whole_range(shape);
    range.starts[axis] = static_cast<int>(start);
    range.counts[axis] = sizes[i];
    n.output(static_cast<int>(i), emit_slice(n, x, range));
    start += sizes[i];
  }
  if (start != shape[axis]) n.fail(fmt::format("its parts have {} elements of {}", start, shape[axis]));
}

}  // namespace bantam::compiler
