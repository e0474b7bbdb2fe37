// Offline memory planning: buffers with known lifetimes get places in one arena.
#pragma once

#include <cstdint>
#include <vector>

namespace bantam::compiler {

struct Buffer {
  uint64_t bytes = 0;
  int first = 0;        // index of the op that writes it first; -1: a graph input
  int last = 0;         // index of the last op that reads it; number of ops: a graph output
  uint64_t offset = 0;  // the result
};

// Places all buffers, 64-byte aligned, so that no two that live at the same time overlap. Returns the arena's
// size. Deterministic.
uint64_t place_buffers(std::vector<Buffer>& buffers);

// The largest sum of buffers alive at one time: no placement is smaller.
uint64_t live_bytes(const std::vector<Buffer>& buffers);

}  // namespace bantam::compiler
