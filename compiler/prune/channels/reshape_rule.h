// Reshapes split and merge axes: channels into groups (channel shuffle), into heads (attention), feature maps
// into vectors (flatten before a fully connected layer).
#pragma once

#include <string>

#include "prune/channels/atoms.h"

namespace bantam::compiler {

// Where an axis becomes several (or several one), one of these stays free: the heads of an attention, else
// the longest one that nothing pins. The others are pinned for `reason`.
void unite_reshape(const Graph& graph, const Node& node, Atoms& atoms, const std::string& reason);

}  // namespace bantam::compiler
