#include "passes/transposes.h"

#include <algorithm>
#include <numeric>

namespace bantam::compiler {
namespace {

// Axes of a reshape's input and output that hold the same elements: [in_first, in_last) became [out_first,
// out_last).
struct Group {
  size_t in_first, in_last, out_first, out_last;
};

// The finest grouping of a reshape from `from` to `to`. Axes of size 1 at the end form groups of their own.
std::vector<Group> group_axes(const Shape& from, const Shape& to) {
  std::vector<Group> groups;
  size_t i = 0;
  size_t o = 0;
  while (i < from.size() || o < to.size()) {
    Group group{i, i, o, o};
    int64_t in_size = i < from.size() ? from[i++] : 1;
    int64_t out_size = o < to.size() ? to[o++] : 1;
    while (in_size != out_size) {
      if (in_size < out_size) {
        in_size *= from[i++];
      } else {
        out_size *= to[o++];
      }
    }
    group.in_last = i;
    group.out_last = o;
    groups.push_back(group);
  }
  return groups;
}

// Where each group begins in x: its first axis longer than 1, or its first axis, or where the group before it
// begins.
std::vector<int> places(const std::vector<Group>& groups, const Shape& transposed,
                        const std::vector<int>& perm) {
  std::vector<int> result;
  for (const Group& group : groups) {
    int place = -1;
    for (size_t i = group.in_first; i < group.in_last && place < 0; ++i) {
      if (transposed[i] != 1) place = perm[i];
    }
    if (place < 0 && group.in_first < group.in_last) place = perm[group.in_first];
    if (place < 0 && !result.empty()) place = result.back();
    result.push_back(place);
  }
  return result;
}

}  // namespace

bool is_identity(const std::vector<int>& perm) {
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int>(i)) return false;
  }
  return true;
}

bool moves_only_ones(const Shape& shape, const std::vector<int>& perm) {
  int last = -1;
  for (int axis : perm) {
    if (shape[static_cast<size_t>(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

std::optional<ReshapeFirst> reshape_before_transpose(const Shape& source, const std::vector<int>& perm,
                                                     const Shape& target) {
  Shape transposed;
  for (int axis : perm) transposed.push_back(source[static_cast<size_t>(axis)]);
  const std::vector<Group> groups = group_axes(transposed, target);
  const std::vector<int> place = places(groups, transposed, perm);
  std::vector<size_t> order(groups.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return place[a] < place[b]; });
  ReshapeFirst result;
  std::vector<int> out_position(target.size());
  for (size_t g : order) {
    for (size_t i = groups[g].in_first; i < groups[g].in_last; ++i) result.inner.push_back(perm[i]);
    for (size_t o = groups[g].out_first; o < groups[g].out_last; ++o) {
      out_position[o] = static_cast<int>(result.shape.size());
      result.shape.push_back(target[o]);
    }
  }
  result.outer = out_position;
  if (moves_only_ones(source, result.inner)) {
    std::iota(result.inner.begin(), result.inner.end(), 0);
  }
  if (moves_only_ones(result.shape, result.outer) && !is_identity(result.inner)) return std::nullopt;
  return result;
}

}  // namespace bantam::compiler
