// Keeps float what must be, so that int8 costs no more accuracy than was allowed.
#pragma once

#include "search/sensitivity.h"

namespace bantam::compiler {

struct MetDrop {
  std::vector<Unit> units;
  std::vector<bool> chosen;  // by unit: stays float
  KeptFloat kept;            // with what had to stay before
  Verdict verdict;
};

// From the nodes `kept` already, the units that cost most accuracy per time, as few as reach the drop, which
// `judge` finds. Throws CompileError when not one unit can be int8.
MetDrop meet_drop(const Graph& graph, const Judge& judge, const OpCosts& costs, const Quantizer& quantize,
                  const KeptFloat& kept, PassContext& context);

}  // namespace bantam::compiler
