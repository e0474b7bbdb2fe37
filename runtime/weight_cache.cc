// Reading files of packed weights.
#include "bantam/runtime/weight_cache.h"

#include <cstring>

#include "hash64.h"

namespace bantam {
namespace {

// Whether [begin, end) lies in [first, last).
bool within(uint64_t begin, uint64_t end, uint64_t first, uint64_t last) {
  return begin >= first && begin <= end && end <= last;
}

bool fits(const CacheHeader& header, size_t bytes, const PlanHeader& plan, uint64_t packing_id) {
  return header.magic == kCacheMagic && header.version == kCacheVersion && header.file_bytes == bytes &&
         header.packing_id == packing_id && std::memcmp(&header.plan, &plan, sizeof(plan)) == 0 &&
         header.reserved[0] == 0 && header.reserved[1] == 0 && header.entry_count != 0;
}

uint64_t checksum_of(CacheHeader header, const std::byte* data, size_t bytes) {
  header.checksum = 0;
  Hash64 hash;
  hash.update(&header, sizeof(header));
  hash.update(data + sizeof(header), bytes - sizeof(header));
  return hash.finish();
}

bool ranges_are_sound(std::span<const CacheRange> ranges, const PlanHeader& plan, size_t plan_bytes) {
  uint64_t last = plan.weights_offset;
  for (const CacheRange& range : ranges) {
    if (!within(range.begin, range.end, last, plan_bytes)) return false;
    last = range.end;
  }
  return true;
}

}  // namespace

uint64_t hash_outside(std::span<const std::byte> plan, std::span<const CacheRange> ranges) {
  Hash64 hash;
  size_t position = sizeof(PlanHeader);
  for (const CacheRange& range : ranges) {
    hash.update(plan.data() + position, static_cast<size_t>(range.begin) - position);
    position = static_cast<size_t>(range.end);
  }
  hash.update(plan.data() + position, plan.size() - position);
  return hash.finish();
}

bool WeightCache::open(const char* directory, std::span<const std::byte> plan, uint64_t packing_id) {
  if (plan.size() < sizeof(PlanHeader)) return false;
  PlanHeader header;
  std::memcpy(&header, plan.data(), sizeof(header));
  Array<char> path;
  if (!weight_cache_path(directory, header, packing_id, &path)) return false;
  if (source_.open_file(path.data()).ok() && accept(plan, packing_id)) return true;
  source_.close();
  static_cast<void>(entries_.allocate(0));
  return false;
}

bool WeightCache::accept(std::span<const std::byte> plan, uint64_t packing_id) {
  const std::byte* data = source_.data();
  const size_t bytes = source_.size();
  if (bytes < sizeof(CacheHeader)) return false;
  CacheHeader header;
  PlanHeader plan_header;
  std::memcpy(&header, data, sizeof(header));
  std::memcpy(&plan_header, plan.data(), sizeof(plan_header));
  if (!fits(header, bytes, plan_header, packing_id)) return false;
  const uint64_t tables_end = sizeof(header) + uint64_t{header.range_count} * sizeof(CacheRange) +
                              uint64_t{header.entry_count} * sizeof(CacheEntry);
  if (tables_end > bytes) return false;
  const std::span ranges(reinterpret_cast<const CacheRange*>(data + sizeof(header)), header.range_count);
  const std::span entries(reinterpret_cast<const CacheEntry*>(ranges.data() + ranges.size()),
                          header.entry_count);
  if (!ranges_are_sound(ranges, plan_header, plan.size()) || hash_outside(plan, ranges) != header.rest ||
      checksum_of(header, data, bytes) != header.checksum || !entries_.allocate(entries.size())) {
    return false;
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    const CacheEntry& entry = entries[i];
    if (entry.offset % kTensorAlignment != 0 || entry.bytes > bytes ||
        !within(entry.offset, entry.offset + entry.bytes + kReadPadding, tables_end, bytes)) {
      return false;
    }
    entries_[i] = {entry.op, entry.part, entry.seed, data + entry.offset, static_cast<size_t>(entry.bytes)};
  }
  return true;
}

size_t WeightCache::bytes() const {
  size_t sum = 0;
  for (const PackedEntry& entry : entries()) sum += entry.bytes;
  return sum;
}

Status WeightCache::check_intact() const {
  if (source_.check_intact().ok()) return ok_status();
  return Status(StatusCode::kIo, "packed weights", "the model file has shrunk");
}

}  // namespace bantam
