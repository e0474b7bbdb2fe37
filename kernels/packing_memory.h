// Memory for packed weights.
#pragma once

#include <cstddef>

namespace bantam::kernels {

// Blocks that live as long as this, aligned to kTensorAlignment. After the first few megabytes they come from
// chunks for which the system is asked for huge pages: reading weights of many megabytes once a run misses
// the TLB at every small page. Not thread-safe.
class PackingMemory {
 public:
  PackingMemory() = default;
  PackingMemory(const PackingMemory&) = delete;
  PackingMemory& operator=(const PackingMemory&) = delete;
  ~PackingMemory();

  // Null when memory is short.
  void* allocate(size_t bytes);
  // Gives the block back at once where that is possible.
  void release(void* block);

 private:
  // Lies before what it holds: one block, or the blocks of a chunk.
  struct Chunk;

  Chunk* add_chunk(size_t bytes, size_t alignment);
  void remove(Chunk* chunk);

  Chunk* chunks_ = nullptr;
  Chunk* open_ = nullptr;  // has room for further blocks
  size_t small_bytes_ = 0;
};

}  // namespace bantam::kernels
