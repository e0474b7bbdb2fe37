// Writing files of packed weights.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>  // rename
#include <cstdlib>
#include <cstring>

#include "bantam/runtime/weight_cache.h"
#include "hash64.h"

namespace bantam {
namespace {

uint64_t aligned(uint64_t offset) {
  return (offset + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

// A file that others do not see before commit(), and never if that is not reached.
class NewFile {
 public:
  NewFile() = default;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (fd_ < 0) return;
    close(fd_);
    unlink(name_.data());
  }

  bool open(const char* path) {
    constexpr char kSuffix[] = ".XXXXXX";
    const size_t length = std::strlen(path);
    if (!name_.allocate(length + sizeof(kSuffix))) return false;
    std::memcpy(name_.data(), path, length);
    std::memcpy(name_.data() + length, kSuffix, sizeof(kSuffix));
    fd_ = mkostemp(name_.data(), O_CLOEXEC);
    return fd_ >= 0;
  }

  bool append(const void* data, size_t bytes) {
    hash_.update(data, bytes);
    end_ += bytes;
    return write_at(end_ - bytes, data, bytes);
  }

  // Zeros up to `offset`, at most kReadPadding + kTensorAlignment of them.
  bool pad_to(uint64_t offset) {
    constexpr std::byte kZeros[kReadPadding + kTensorAlignment] = {};
    return append(kZeros, static_cast<size_t>(offset - end_));
  }

  bool write_at(uint64_t offset, const void* data, size_t bytes) const {
    const auto* from = static_cast<const std::byte*>(data);
    while (bytes > 0) {
      const ssize_t written = pwrite(fd_, from, bytes, static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      from += written;
      offset += static_cast<uint64_t>(written);
      bytes -= static_cast<size_t>(written);
    }
    return true;
  }

  uint64_t hash() { return hash_.finish(); }  // of what was appended; nothing can be appended after it

  bool commit(const char* path) {
    if (fsync(fd_) != 0 || rename(name_.data(), path) != 0) return false;
    close(fd_);
    fd_ = -1;
    return true;
  }

 private:
  int fd_ = -1;
  Array<char> name_;
  uint64_t end_ = 0;
  Hash64 hash_;
};

CacheHeader describe(const CacheContent& content) {
  CacheHeader header = {};
  header.magic = kCacheMagic;
  header.version = kCacheVersion;
  header.packing_id = content.packing_id;
  std::memcpy(&header.plan, content.plan.data(), sizeof(header.plan));
  header.rest = hash_outside(content.plan, content.ranges);
  header.range_count = static_cast<uint32_t>(content.ranges.size());
  header.entry_count = static_cast<uint32_t>(content.entries.size());
  return header;
}

// Places the entries' bytes, each on its own cache lines, and gives the size of the file.
uint64_t place(const CacheContent& content, Array<CacheEntry>* table) {
  uint64_t end = sizeof(CacheHeader) + content.ranges.size_bytes() + table->size_bytes();
  for (size_t i = 0; i < content.entries.size(); ++i) {
    const PackedEntry& entry = content.entries[i];
    const uint64_t offset = aligned(end);
    (*table)[i] = {entry.op, entry.part, entry.seed, 0, offset, entry.bytes};
    end = offset + entry.bytes + kReadPadding;
  }
  return end;
}

bool write_content(const CacheContent& content, NewFile* file) {
  Array<CacheEntry> table;
  if (!table.allocate(content.entries.size())) return false;
  CacheHeader header = describe(content);
  header.file_bytes = place(content, &table);
  if (!file->append(&header, sizeof(header)) ||
      !file->append(content.ranges.data(), content.ranges.size_bytes()) ||
      !file->append(table.data(), table.size_bytes())) {
    return false;
  }
  for (size_t i = 0; i < table.size(); ++i) {
    if (!file->pad_to(table[i].offset) || !file->append(content.entries[i].data, content.entries[i].bytes)) {
      return false;
    }
  }
  if (!file->pad_to(header.file_bytes)) return false;
  const uint64_t checksum = file->hash();
  return file->write_at(offsetof(CacheHeader, checksum), &checksum, sizeof(checksum));
}

}  // namespace

bool weight_cache_path(const char* directory, const PlanHeader& plan, uint64_t packing_id,
                       Array<char>* path) {
  constexpr char kBefore[] = "/bantam-", kAfter[] = ".packed", kDigits[] = "0123456789abcdef";
  constexpr size_t kHashDigits = 16;
  Hash64 hash;
  hash.update(&kCacheVersion, sizeof(kCacheVersion));
  hash.update(&packing_id, sizeof(packing_id));
  hash.update(&plan, sizeof(plan));
  const uint64_t name = hash.finish();
  const size_t length = std::strlen(directory);
  if (!path->allocate(length + sizeof(kBefore) - 1 + kHashDigits + sizeof(kAfter))) return false;
  char* out = path->data();
  std::memcpy(out, directory, length);
  std::memcpy(out + length, kBefore, sizeof(kBefore) - 1);
  out += length + sizeof(kBefore) - 1;
  for (size_t i = 0; i < kHashDigits; ++i) *out++ = kDigits[name >> (60 - 4 * i) & 15];
  std::memcpy(out, kAfter, sizeof(kAfter));
  return true;
}

bool write_weight_cache(const char* directory, const CacheContent& content) {
  PlanHeader plan;
  std::memcpy(&plan, content.plan.data(), sizeof(plan));
  Array<char> path;
  NewFile file;
  if (!weight_cache_path(directory, plan, content.packing_id, &path)) return false;
  mkdir(directory, 0777);  // if it is still missing then, so says open()
  return file.open(path.data()) && write_content(content, &file) && file.commit(path.data());
}

}  // namespace bantam
