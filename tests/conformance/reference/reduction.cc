#include <algorithm>
#include <cmath>

#include "reference/node.h"

namespace bantam::tests {
namespace {

double reduce_values(const std::string& type, const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (double value : values) sum += value, squares += value * value;
  if (type == "ReduceSum") return sum;
  if (type == "ReduceMean") return sum / static_cast<double>(values.size());
  if (type == "ReduceL2") return std::sqrt(squares);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return type == "ReduceMax" ? *most : *least;
}

Array drop_axes(Array y, const std::vector<bool>& reduced) {
  Index kept;
  for (size_t a = 0; a < reduced.size(); ++a) {
    if (!reduced[a]) kept.push_back(y.shape[a]);
  }
  y.shape = kept;
  return y;
}

Array reduce(const Node& node) {
  const Array& x = node.in(0);
  const Index axes = node.is_or_in("axes", 1, {});
  if (axes.empty() && node.i("noop_with_empty_axes", 0) != 0) return x;
  std::vector<bool> reduced(x.shape.size(), axes.empty());
  for (int64_t axis : axes) reduced[static_cast<size_t>(wrap(axis, x.rank()))] = true;
  Index outer = x.shape, inner = x.shape;
  for (size_t a = 0; a < reduced.size(); ++a) (reduced[a] ? outer : inner)[a] = 1;
  Array y = make(outer, [&](const Index& at) {
    std::vector<double> values;
    for_each_index(inner, [&](const Index& step) {
      Index source = at;
      for (size_t a = 0; a < source.size(); ++a) source[a] += step[a];
      values.push_back(x.at(source));
    });
    return reduce_values(node.proto.op_type(), values);
  });
  return node.i("keepdims", 1) != 0 ? y : drop_axes(y, reduced);
}

Array arg_max(const Node& node) {
  const Array& x = node.in(0);
  const auto axis = static_cast<size_t>(wrap(node.i("axis", 0), x.rank()));
  const bool last = node.i("select_last_index", 0) != 0;
  Index shape = x.shape;
  shape[axis] = 1;
  const auto find = [&](const Index& at) {
    int64_t best = 0;
    double most = -HUGE_VAL;
    Index source = at;
    for (int64_t i = 0; i < x.shape[axis]; ++i) {
      source[axis] = i;
      const double value = x.at(source);
      if (value > most || (last && value == most)) best = i, most = value;
    }
    return static_cast<double>(best);
  };
  Array y = make(shape, find, Kind::kInt);
  std::vector<bool> reduced(shape.size());
  reduced[axis] = true;
  return node.i("keepdims", 1) != 0 ? y : drop_axes(y, reduced);
}

}  // namespace

Outputs run_reduction(const Node& node) {
  if (node.proto.op_type() == "ArgMax") return {arg_max(node)};
  if (node.proto.op_type().starts_with("Reduce")) return {reduce(node)};
  return {};
}

}  // namespace bantam::tests
