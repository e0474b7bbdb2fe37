// A quantized plan may have the channels of some tensors scaled (see tune/equalize.h). A float32 network that
// is compared with it, layer by layer, has to be scaled alike.
#pragma once

#include "ir/graph.h"
#include "stages/plan_reader.h"

namespace bantam::compiler {

// Scales the channels of `graph`, float32 and NHWC, as those of `plan` are: by the factors that the norms of
// the plan's weights tell. What the graph computes stays the same.
void follow_scaling(Graph& graph, const PlanReader& plan);

}  // namespace bantam::compiler
