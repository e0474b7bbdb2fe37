// A network of which int8 ruins one op.
#pragma once

#include "net.h"

namespace bantam::tests {

inline const std::string kRuined = "ruined";

// One convolution reads channels of very different size, of which the large ones hardly matter: their scale
// leaves the others, which do, no steps.
inline Graph collapsing() {
  Net net;
  const ValueId x = net.input({1, 8, 8, 8});
  const ValueId small = net.conv(x, 8, 3);
  const size_t first = net.graph.values.size();
  const ValueId large = net.conv(x, 8, 3);
  for (size_t v = first; v < net.graph.values.size(); ++v) {
    Value& value = net.graph.values[v];
    if (value.constant == nullptr) continue;
    Tensor scaled = *value.constant;
    for (float& w : scaled.as<float>()) w *= 1000;
    value.constant = std::make_shared<const Tensor>(std::move(scaled));
  }
  const ValueId joined = net.concat({small, large});
  const ValueId mixed = net.conv(joined, 8, 1);
  Node& reader = net.graph.nodes.back();
  reader.name = kRuined;
  Value& weights = net.graph.value(reader.inputs[1]);
  Tensor scaled = *weights.constant;
  for (size_t i = 0; i < scaled.as<float>().size(); ++i) scaled.as<float>()[i] *= i % 16 < 8 ? 1.0f : 1e-4f;
  weights.constant = std::make_shared<const Tensor>(std::move(scaled));
  net.output(net.conv(net.conv(mixed, 8, 3), 8, 1));
  return net.graph;
}

}  // namespace bantam::tests
