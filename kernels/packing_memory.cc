#include "packing_memory.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdint>
#include <new>

#include "plan_format.h"
#include "rounding.h"

namespace bantam::kernels {

namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kChunk = size_t{16} << 20;  // of address space; what is not used is never memory
constexpr size_t kSmall = size_t{2} << 20;   // up to this in all: a huge page would be too coarse

void ask_for_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: a kernel without them refuses, and nothing else changes
#endif
}

}  // namespace

struct alignas(kTensorAlignment) PackingMemory::Chunk {
  Chunk* next = nullptr;
  size_t size = 0;  // with this header
  size_t used = 0;
  size_t alignment = 0;
};

PackingMemory::~PackingMemory() {
  while (chunks_ != nullptr) remove(chunks_);
}

PackingMemory::Chunk* PackingMemory::add_chunk(size_t bytes, size_t alignment) {
  void* memory = ::operator new (bytes, std::align_val_t{alignment}, std::nothrow);
  if (memory == nullptr) return nullptr;
  if (alignment == kHugePage) ask_for_huge_pages(memory, bytes);
  Chunk* chunk = new (memory) Chunk;
  chunk->next = chunks_;
  chunk->size = bytes;
  chunk->used = sizeof(Chunk);
  chunk->alignment = alignment;
  chunks_ = chunk;
  return chunk;
}

void PackingMemory::remove(Chunk* chunk) {
  Chunk** link = &chunks_;
  while (*link != chunk) link = &(*link)->next;
  *link = chunk->next;
  if (open_ == chunk) open_ = nullptr;
  ::operator delete (chunk, std::align_val_t{chunk->alignment});
}

void* PackingMemory::allocate(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  bytes = round_up(bytes, kTensorAlignment);
  Chunk* chunk = open_;
  if (chunk != nullptr && chunk->size - chunk->used < bytes) chunk = nullptr;
  if (chunk == nullptr && small_bytes_ + bytes > kSmall) {
    chunk = add_chunk(round_up(std::max(bytes + sizeof(Chunk), kChunk), kHugePage), kHugePage);
    if (chunk != nullptr) open_ = chunk;
  }
  if (chunk == nullptr) {
    chunk = add_chunk(bytes + sizeof(Chunk), kTensorAlignment);
    if (chunk == nullptr) return nullptr;
    small_bytes_ += bytes;
  }
  void* block = reinterpret_cast<std::byte*>(chunk) + chunk->used;
  chunk->used += bytes;
  return block;
}

void PackingMemory::release(void* block) {
  for (Chunk* chunk = chunks_; chunk != nullptr; chunk = chunk->next) {
    if (chunk + 1 != block || chunk->alignment == kHugePage) continue;
    small_bytes_ -= chunk->size - sizeof(Chunk);
    remove(chunk);
    return;
  }
}

}  // namespace bantam::kernels
