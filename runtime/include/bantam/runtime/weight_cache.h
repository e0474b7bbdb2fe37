// Packed weights kept in a file from one process to the next, so that they are mapped instead of packed
// again.
//
//   offset 0     CacheHeader
//                CacheRange[range_count]   sorted, apart from each other
//                CacheEntry[entry_count]
//   then         the entries' bytes, each aligned to kTensorAlignment and followed by kReadPadding zeros
//
// The ranges are those of the plan file that kernels do not read once they have these entries: neither are
// they read to verify the plan. What is left of it has the hash `rest`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bantam/runtime/array.h"
#include "bantam/runtime/kernel.h"
#include "bantam/runtime/plan_source.h"
#include "plan_format.h"

namespace bantam {

struct CacheHeader {
  uint32_t magic;
  uint32_t version;
  uint64_t file_bytes;
  uint64_t packing_id;  // KernelTable's
  PlanHeader plan;      // of the plan it belongs to
  uint64_t rest;
  uint32_t range_count;
  uint32_t entry_count;
  uint64_t reserved[2];
  uint64_t checksum;  // hash64 of this header with a checksum of 0, and of everything behind it
};
static_assert(sizeof(CacheHeader) == 128 && sizeof(PlanHeader) == 64);

struct CacheRange {
  uint64_t begin, end;  // bytes from the plan file's first
};
struct CacheEntry {
  int32_t op;
  int32_t part;
  uint32_t seed;
  uint32_t reserved;
  uint64_t offset;  // bytes from this file's first
  uint64_t bytes;
};

inline constexpr uint32_t kCacheMagic = 0x574e4142;  // "BANW"
inline constexpr uint32_t kCacheVersion = 1;

// hash64 of the plan file behind its header, without `ranges`.
uint64_t hash_outside(std::span<const std::byte> plan, std::span<const CacheRange> ranges);

// A file of packed weights, mapped.
class WeightCache {
 public:
  // Whether `directory` has a file for this plan and packing that is whole and sound, and the plan is sound
  // wherever the file does not stand in for it. If not, nothing is kept and nothing else is to be said.
  bool open(const char* directory, std::span<const std::byte> plan, uint64_t packing_id);

  bool is_open() const { return entries_.size() != 0; }
  std::span<const PackedEntry> entries() const { return {entries_.data(), entries_.size()}; }
  size_t bytes() const;  // of the entries
  // kIo when the file has become shorter.
  Status check_intact() const;

 private:
  bool accept(std::span<const std::byte> plan, uint64_t packing_id);

  PlanSource source_;
  Array<PackedEntry> entries_;
};

// What goes into a file of packed weights.
struct CacheContent {
  std::span<const std::byte> plan;
  uint64_t packing_id = 0;
  std::span<const CacheRange> ranges;
  std::span<const PackedEntry> entries;
};

// Puts it into `directory`, whole or not at all. Makes the directory if only that is missing.
bool write_weight_cache(const char* directory, const CacheContent& content);

// "DIRECTORY/bantam-HASH.packed"; false when memory is short.
bool weight_cache_path(const char* directory, const PlanHeader& plan, uint64_t packing_id, Array<char>* path);

}  // namespace bantam
