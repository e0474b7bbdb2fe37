// How much each part of a network suffers from int8.
#pragma once

#include <string>
#include <vector>

#include "search/judge.h"
#include "search/op_costs.h"

namespace bantam::compiler {

// What is kept float together: an op with weights and the ops without that make what it reads, whose rounding
// it gets. An op between two of these is in both; one that none reads is with what it reads.
struct Unit {
  std::vector<size_t> nodes;
  std::string name;  // of the op with weights
  double noise = 0;  // Verdict::noise of the network with this unit alone in int8
  double cost = 0;   // of keeping it float, in OpCosts' unit; at least a little
};

std::vector<Unit> find_units(const Graph& graph);

// Fills in noise and cost; one conversion and a few samples per unit.
void measure_units(const Graph& graph, const Judge& judge, const OpCosts& costs, const Quantizer& quantize,
                   const PassContext& context, std::vector<Unit>& units);

KeptFloat keep_units(const Graph& graph, const std::vector<Unit>& units, const std::vector<bool>& chosen,
                     const KeptFloat& also);

}  // namespace bantam::compiler
