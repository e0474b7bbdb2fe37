// Operators that move elements.
#include <algorithm>
#include <functional>
#include <map>

#include "reference/node.h"

namespace bantam::tests {
namespace {

Array reshaped(const Array& x, Index shape) {
  Array y = x;
  y.shape = std::move(shape);
  return y;
}

// An output whose element at `index` is the input's at source(index).
Array moved(const Array& x, const Index& shape, const std::function<Index(Index)>& source) {
  return make(
      shape, [&](const Index& at) { return x.at(source(at)); }, x.kind);
}

Array reshape(const Node& node) {
  const Array& x = node.in(0);
  Index shape = node.in(1).ints();
  int64_t known = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && node.i("allowzero", 0) == 0) shape[i] = x.shape[i];
    if (shape[i] != -1) known *= shape[i];
  }
  std::replace(shape.begin(), shape.end(), int64_t{-1}, count(x.shape) / known);
  return reshaped(x, shape);
}

Array flatten(const Node& node) {
  const Array& x = node.in(0);
  const auto axis = static_cast<std::ptrdiff_t>(wrap(node.i("axis", 1), x.rank()));
  const int64_t rows = count(Index(x.shape.begin(), x.shape.begin() + axis));
  return reshaped(x, {rows, count(x.shape) / rows});
}

Array squeeze(const Node& node) {
  const Array& x = node.in(0);
  Index axes = node.is_or_in("axes", 1, {}), shape;
  for (int64_t& axis : axes) axis = wrap(axis, x.rank());
  for (int64_t a = 0; a < x.rank(); ++a) {
    const int64_t dim = x.shape[static_cast<size_t>(a)];
    const bool chosen = axes.empty() ? dim == 1 : std::count(axes.begin(), axes.end(), a) != 0;
    if (!chosen) shape.push_back(dim);
  }
  return reshaped(x, shape);
}

Array unsqueeze(const Node& node) {
  const Array& x = node.in(0);
  Index axes = node.is_or_in("axes", 1, {});
  for (int64_t& axis : axes) axis = wrap(axis, x.rank() + static_cast<int64_t>(axes.size()));
  std::sort(axes.begin(), axes.end());
  Index shape = x.shape;
  for (int64_t axis : axes) shape.insert(shape.begin() + axis, 1);
  return reshaped(x, shape);
}

Array transpose(const Node& node) {
  const Array& x = node.in(0);
  Index perm, shape;
  for (int64_t a = x.rank(); a-- > 0;) perm.push_back(a);
  perm = node.is("perm", perm);
  for (int64_t a : perm) shape.push_back(x.shape[static_cast<size_t>(a)]);
  return moved(x, shape, [&](const Index& at) {
    Index source(at.size());
    for (size_t a = 0; a < at.size(); ++a) source[static_cast<size_t>(perm[a])] = at[a];
    return source;
  });
}

Array expand(const Node& node) {
  const Array& x = node.in(0);
  return make(
      broadcast(x.shape, node.in(1).ints()), [&](const Index& at) { return at_broadcast(x, at); }, x.kind);
}

Array tile(const Node& node) {
  const Array& x = node.in(0);
  const Index repeats = node.in(1).ints();
  Index shape = x.shape;
  for (size_t a = 0; a < shape.size(); ++a) shape[a] *= repeats[a];
  return moved(x, shape, [&](Index at) {
    for (size_t a = 0; a < at.size(); ++a) at[a] %= x.shape[a];
    return at;
  });
}

Array gather(const Node& node) {
  const Array &x = node.in(0), &indices = node.in(1);
  const auto axis = static_cast<std::ptrdiff_t>(wrap(node.i("axis", 0), x.rank()));
  Index shape(x.shape.begin(), x.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + axis + 1, x.shape.end());
  const auto index_rank = static_cast<std::ptrdiff_t>(indices.rank());
  return moved(x, shape, [&](const Index& at) {
    Index source(at.begin(), at.begin() + axis);
    const Index which(at.begin() + axis, at.begin() + axis + index_rank);
    source.push_back(wrap(static_cast<int64_t>(indices.at(which)), x.shape[static_cast<size_t>(axis)]));
    source.insert(source.end(), at.begin() + axis + index_rank, at.end());
    return source;
  });
}

Array concat(const Node& node) {
  const auto axis = static_cast<size_t>(wrap(node.i("axis", 1), node.in(0).rank()));
  Index shape = node.in(0).shape;
  for (size_t k = 1; k < node.inputs.size(); ++k) shape[axis] += node.in(k).shape[axis];
  return make(
      shape,
      [&](Index at) {
        size_t k = 0;
        while (at[axis] >= node.in(k).shape[axis]) at[axis] -= node.in(k++).shape[axis];
        return node.in(k).at(at);
      },
      node.in(0).kind);
}

Outputs split(const Node& node) {
  const Array& x = node.in(0);
  const auto axis = static_cast<size_t>(wrap(node.i("axis", 0), x.rank()));
  const int64_t parts = node.proto.output_size(), even = (x.shape[axis] + parts - 1) / parts;
  const Index sizes = node.is_or_in("split", 1, Index(static_cast<size_t>(parts), even));
  Outputs outputs;
  int64_t start = 0;
  for (int64_t size : sizes) {
    Index shape = x.shape;
    shape[axis] = std::min(size, x.shape[axis] - start);
    outputs.push_back(moved(x, shape, [&](Index at) {
      at[axis] += start;
      return at;
    }));
    start += size;
  }
  return outputs;
}

Array slice(const Node& node) {
  const Array& x = node.in(0);
  const Index starts = node.is_or_in("starts", 1, {}), ends = node.is_or_in("ends", 2, {});
  Index axes;
  for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  axes = node.is_or_in("axes", 3, axes);
  const Index steps = node.has_in(4) ? node.in(4).ints() : Index(starts.size(), 1);
  Index shape = x.shape, first(x.shape.size(), 0), step(x.shape.size(), 1);
  for (size_t i = 0; i < starts.size(); ++i) {
    const auto axis = static_cast<size_t>(wrap(axes[i], x.rank()));
    const int64_t dim = x.shape[axis], back = steps[i] < 0 ? 1 : 0;
    const int64_t start = std::clamp(wrap(starts[i], dim), int64_t{0}, dim - back);
    const int64_t end = std::clamp(wrap(ends[i], dim), -back, dim);
    first[axis] = start;
    step[axis] = steps[i];
    const int64_t away = steps[i] < 0 ? -1 : 1;
    shape[axis] = std::max<int64_t>((end - start + steps[i] - away) / steps[i], 0);
  }
  return moved(x, shape, [&](Index at) {
    for (size_t a = 0; a < at.size(); ++a) at[a] = first[a] + at[a] * step[a];
    return at;
  });
}

// The coordinate of the input that coordinate `i` of a padded axis shows; -1: the constant.
int64_t unpadded(const std::string& mode, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  if (mode == "edge") return std::clamp(i, int64_t{0}, size - 1);
  if (mode == "wrap") return (i % size + size) % size;
  if (mode != "reflect") return -1;
  const int64_t period = std::max<int64_t>(2 * (size - 1), 1), phase = (i % period + period) % period;
  return phase < size ? phase : period - phase;
}

Array pad(const Node& node) {
  const Array& x = node.in(0);
  const Index given = node.is_or_in("pads", 1, {});
  Index axes, begin(x.shape.size(), 0), shape = x.shape;
  for (int64_t a = 0; a < x.rank(); ++a) axes.push_back(a);
  if (node.has_in(3)) axes = node.in(3).ints();
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(wrap(axes[i], x.rank()));
    begin[axis] = given[i];
    shape[axis] += given[i] + given[axes.size() + i];
  }
  const double value = node.has_in(2) ? node.in(2).values[0] : node.f("value", 0);
  const std::string mode = node.s("mode", "constant");
  return make(
      shape,
      [&](Index at) {
        for (size_t a = 0; a < at.size(); ++a) {
          at[a] = unpadded(mode, at[a] - begin[a], x.shape[a]);
          if (at[a] < 0) return value;
        }
        return x.at(at);
      },
      x.kind);
}

Array depth_to_space(const Node& node) {
  const Array& x = node.in(0);
  const int64_t block = node.i("blocksize", 1), depth = x.shape[1] / (block * block);
  const bool dcr = node.s("mode", "DCR") == "DCR";
  return moved(x, {x.shape[0], depth, x.shape[2] * block, x.shape[3] * block}, [&](const Index& at) {
    const int64_t place = at[2] % block * block + at[3] % block;
    const int64_t channel = dcr ? place * depth + at[1] : at[1] * block * block + place;
    return Index{at[0], channel, at[2] / block, at[3] / block};
  });
}

Array space_to_depth(const Node& node) {
  const Array& x = node.in(0);
  const int64_t block = node.i("blocksize", 1), depth = x.shape[1];
  return moved(
      x, {x.shape[0], depth * block * block, x.shape[2] / block, x.shape[3] / block}, [&](const Index& at) {
        const int64_t place = at[1] / depth;
        return Index{at[0], at[1] % depth, at[2] * block + place / block, at[3] * block + place % block};
      });
}

Array shape_of(const Node& node) {
  Array y{{node.in(0).rank()}, {}, Kind::kInt};
  for (int64_t dim : node.in(0).shape) y.values.push_back(static_cast<double>(dim));
  return y;
}

const std::map<std::string, Array (*)(const Node&)> kLoops = {
    {"Reshape", reshape},
    {"Flatten", flatten},
    {"Squeeze", squeeze},
    {"Unsqueeze", unsqueeze},
    {"Transpose", transpose},
    {"Expand", expand},
    {"Tile", tile},
    {"Gather", gather},
    {"Concat", concat},
    {"Slice", slice},
    {"Pad", pad},
    {"DepthToSpace", depth_to_space},
    {"Shape", shape_of},
    {"SpaceToDepth", space_to_depth},
};

}  // namespace

Outputs run_movement(const Node& node) {
  if (node.proto.op_type() == "Split") return split(node);
  const auto loop = kLoops.find(node.proto.op_type());
  if (loop == kLoops.end()) return {};
  return {loop->second(node)};
}

}  // namespace bantam::tests
