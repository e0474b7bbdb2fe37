#include "prune/channels/atoms.h"

#include <algorithm>
#include <numeric>

#include "bantam/compiler/error.h"

namespace bantam::compiler {

Atoms::Atoms(const Graph& graph) : graph_(graph), first_(graph.values.size()) {
  int next = 0;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    for (int64_t dim : graph.values[v].type.shape) {
      first_[v].push_back(next);
      next += static_cast<int>(dim);
    }
  }
  parent_.resize(static_cast<size_t>(next));
  std::iota(parent_.begin(), parent_.end(), 0);
  reason_.assign(parent_.size(), -1);
  heads_.assign(parent_.size(), false);
}

int Atoms::root(int atom) const {
  int top = atom;
  while (parent_[static_cast<size_t>(top)] != top) top = parent_[static_cast<size_t>(top)];
  while (parent_[static_cast<size_t>(atom)] != top) {
    const int next = parent_[static_cast<size_t>(atom)];
    parent_[static_cast<size_t>(atom)] = top;
    atom = next;
  }
  return top;
}

void Atoms::unite(int a, int b) {
  const size_t keep = static_cast<size_t>(root(a));
  const size_t drop = static_cast<size_t>(root(b));
  if (keep == drop) return;
  parent_[drop] = static_cast<int>(keep);
  if (reason_[keep] < 0) reason_[keep] = reason_[drop];
  heads_[keep] = heads_[keep] || heads_[drop];
}

void Atoms::unite_axes(ValueId a, size_t axis_a, ValueId b, size_t axis_b) {
  const int64_t dim = graph_.shape(a)[axis_a];
  if (dim != graph_.shape(b)[axis_b])
    throw InternalError("axes of different length cannot be pruned together");
  for (int64_t i = 0; i < dim; ++i) unite(at(a, axis_a, i), at(b, axis_b, i));
}

void Atoms::pin(int atom, const std::string& reason) {
  int& entry = reason_[static_cast<size_t>(root(atom))];
  if (entry >= 0) return;
  if (reasons_.empty() || reasons_.back() != reason) reasons_.push_back(reason);
  entry = static_cast<int>(reasons_.size()) - 1;
}

void Atoms::pin_axis(ValueId id, size_t axis, const std::string& reason) {
  for (int64_t i = 0; i < graph_.shape(id)[axis]; ++i) pin(at(id, axis, i), reason);
}

void Atoms::pin_all(ValueId id, const std::string& reason) {
  for (size_t axis = 0; axis < graph_.shape(id).size(); ++axis) pin_axis(id, axis, reason);
}

bool Atoms::pinned_axis(ValueId id, size_t axis) const {
  for (int64_t i = 0; i < graph_.shape(id)[axis]; ++i) {
    if (pinned(at(id, axis, i))) return true;
  }
  return false;
}

const std::string& Atoms::why_pinned(int atom) const {
  return reasons_[static_cast<size_t>(reason_[static_cast<size_t>(root(atom))])];
}

void Atoms::mark_heads(ValueId id, size_t axis) {
  for (int64_t i = 0; i < graph_.shape(id)[axis]; ++i)
    heads_[static_cast<size_t>(root(at(id, axis, i)))] = true;
}

bool Atoms::are_heads(ValueId id, size_t axis) const {
  return graph_.shape(id)[axis] > 0 && heads_[static_cast<size_t>(root(at(id, axis, 0)))];
}

}  // namespace bantam::compiler
