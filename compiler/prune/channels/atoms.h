// What has to be removed together. Every index of every axis of every value is an atom; two atoms are united
// when one cannot go without the other, and pinned when they must stay.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

class Atoms {
 public:
  explicit Atoms(const Graph& graph);

  int at(ValueId id, size_t axis, int64_t index) const {
    return first_[static_cast<size_t>(id)][axis] + static_cast<int>(index);
  }
  int root(int atom) const;
  void unite(int a, int b);
  void unite_axes(ValueId a, size_t axis_a, ValueId b, size_t axis_b);  // index by index; of equal length

  void pin(int atom, const std::string& reason);
  void pin_axis(ValueId id, size_t axis, const std::string& reason);
  void pin_all(ValueId id, const std::string& reason);
  bool pinned(int atom) const { return reason_[static_cast<size_t>(root(atom))] >= 0; }
  bool pinned_axis(ValueId id, size_t axis) const;  // some index of it
  const std::string& why_pinned(int atom) const;    // the first reason; of a pinned atom

  // Batch axes of matrix products: what attention calls heads.
  void mark_heads(ValueId id, size_t axis);
  bool are_heads(ValueId id, size_t axis) const;

  int count() const { return static_cast<int>(parent_.size()); }

 private:
  const Graph& graph_;
  std::vector<std::vector<int>> first_;  // by value and axis: the atom of index 0
  mutable std::vector<int> parent_;
  std::vector<int> reason_;  // by root: index of the reason, -1: not pinned
  std::vector<bool> heads_;  // by root
  std::vector<std::string> reasons_;
};

}  // namespace bantam::compiler
