// Graph to plan file: memory placement, weights, metadata, header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bantam/compiler/compiler.h"
#include "ir/graph.h"

namespace bantam::compiler {

struct EmitOptions {
  std::string source_name;
  uint64_t source_hash = 0;
  std::string options;
  std::string calibration;
  GoldenHashes golden;  // empty: none yet; 0: not comparable between machines
};

// The graph must be NHWC. Same graph and options, same bytes. The plan's ops are the graph's nodes in order.
std::vector<std::byte> write_plan(const Graph& graph, const EmitOptions& options);

// Multiply-accumulates of one run of `node`.
uint64_t multiply_accumulates(const Graph& graph, const Node& node);

}  // namespace bantam::compiler
