// The channels of a graph that can be removed, found from the graph itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace bantam::compiler {

// Units that occupy the same axes: what one removal decision chooses among.
struct ChannelGroup {
  std::string name;            // of the first layer that makes these channels
  std::vector<int> producers;  // nodes (Conv2d, ConvTranspose2d, FullyConnected) whose weights make them
  std::vector<int> readers;    // nodes of these kinds whose weights multiply them
  std::vector<int> units;
};

// Layers whose channels have to stay, and why.
struct FixedLayer {
  std::string name;
  std::string reason;
};

struct Structure {
  std::vector<ChannelGroup> groups;
  std::vector<FixedLayer> fixed;
  int units = 0;
  // By value, axis and index: the unit that goes with it, -1: stays.
  std::vector<std::vector<std::vector<int>>> unit_of;

  const std::vector<int>& along(ValueId id, size_t axis) const {
    return unit_of[static_cast<size_t>(id)][axis];
  }
};

bool has_weights(OpCode code);  // Conv2d, ConvTranspose2d, FullyConnected

// Every use of a constant vector gets a value of its own, so that layers are not tied by sharing, say, zeros.
void separate_constants(Graph& graph);

// Every layer gets a bias, which can make up for the mean of what it no longer reads.
void add_biases(Graph& graph);

// `graph` is NHWC.
Structure find_structure(const Graph& graph);

// Takes the units away: types, constants and attributes shrink, values and nodes keep their places.
// `removed` by unit.
void remove_units(Graph& graph, const Structure& structure, const std::vector<bool>& removed);

// Indices along the axis that stay, in order.
std::vector<int> kept_along(const Structure& structure, const std::vector<bool>& removed, ValueId id,
                            size_t axis);

}  // namespace bantam::compiler
