// Which channels can be scaled by positive factors without changing what the network computes: those that
// layers with constant weights make and read, with nothing between but ops that commute with such factors.
#pragma once

#include <utility>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

struct ClampedValue {
  ValueId id;
  float low, high;
};

// Channels that share a factor, because ops between them add them up or move them, are one unit.
struct ScaleProblem {
  int units = 0;
  std::vector<ValueId> values;       // whose channels (last axis) are units of this problem
  std::vector<int> producers;        // nodes with weights that make such values
  std::vector<int> readers;          // nodes with weights that read them
  std::vector<ClampedValue> clamps;  // by bounds other than 0 and infinity
};

struct ScaleUnits {
  std::vector<ScaleProblem> problems;
  // By value and channel: its unit within the problem; empty for values that have to stay as they are.
  std::vector<std::vector<int>> unit_of;
};

// `graph` is NHWC. Factors of different problems are independent of each other.
ScaleUnits find_scale_units(const Graph& graph);

bool multiplies_by_constants(const Graph& graph, const Node& node);

}  // namespace bantam::compiler
