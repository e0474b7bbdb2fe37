// Channels that hold the same number whatever the input: what a mask of zeros in the weights leaves behind.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

// One per channel (last axis) of a value: the number that all its elements are, if known.
using ChannelConstants = std::vector<std::optional<float>>;

// By value; empty where nothing is known. `graph` is NHWC.
std::vector<ChannelConstants> constant_channels(const Graph& graph);

}  // namespace bantam::compiler
