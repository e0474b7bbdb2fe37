// Arithmetic of permutations.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

bool is_identity(const std::vector<int>& perm);

// Whether transposing a tensor of `shape` by `perm` leaves its elements in place: axes longer than 1 keep
// their order.
bool moves_only_ones(const Shape& shape, const std::vector<int>& perm);

// Reshape(Transpose(x, perm), target) as Transpose(Reshape(Transpose(x, inner), shape), outer).
struct ReshapeFirst {
  std::vector<int> inner;  // often the identity
  Shape shape;
  std::vector<int> outer;
};
// `source`: shape of x. Empty when the reshape mixes axes in a way that does not commute, or when nothing
// would be won
// (`outer` the identity while `inner` is not).
std::optional<ReshapeFirst> reshape_before_transpose(const Shape& source, const std::vector<int>& perm,
                                                     const Shape& target);

}  // namespace bantam::compiler
