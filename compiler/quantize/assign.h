// Decides what runs in int8, and with which scale and zero point.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ir/graph.h"
#include "ops/op_def.h"
#include "quantize/histogram.h"
#include "quantize/ranges.h"

namespace bantam::compiler {

// The op's int8 rule for this node: some kinds of an op have another one than OpDef says.
Int8Rule int8_rule(const Graph& graph, const Node& node);

// Data that an op moves or computes with, as opposed to shapes, indices and weights.
std::vector<ValueId> data_inputs(const Graph& graph, const Node& node);

// How ranges are chosen: one way for all, another for some.
struct RangeMethods {
  RangeMethods(RangeMethod method) : usual(method) {}  // NOLINT(google-explicit-constructor)

  RangeMethod usual;
  std::map<ValueId, RangeMethod> other;  // by Assignment::group
};

struct Assignment {
  std::vector<bool> int8_node;                            // by node: its output and its float inputs are int8
  std::vector<std::optional<Quantization>> quantization;  // by value: how it is represented where it is int8
  std::vector<bool> is_int8;                              // by value
  std::vector<ValueId> group;  // by value: the first of those that have its scale for good
};

// Nodes that shall stay float, by index; empty: none.
using KeptFloat = std::vector<bool>;

// An op runs in int8 when it has an int8 kernel and gets int8 data without a conversion made only for its
// sake: Conv, ConvTranspose and FullyConnected with constant weights always do, the others when an op before
// them does.
Assignment assign_precision(const Graph& graph, const std::vector<SplitHistogram>& histograms,
                            const RangeMethods& methods, const KeptFloat& kept = {});

// Its first half: which nodes run in int8, as far as that does not depend on scales.
std::vector<bool> int8_nodes(const Graph& graph, const KeptFloat& kept);

}  // namespace bantam::compiler
