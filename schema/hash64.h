// hash64: the checksum of plan files and the golden hashes of tensors. Fast, not cryptographic.
//
// Definition. All arithmetic is modulo 2^64; words are 8 bytes, little-endian.
//   round(h, w) = rotl(h + w * kHashWord, 31) * kHashLane   (that of xxHash64)
//   lane[i] = (i + 1) * kHashLane, i = 0..3.
//   The bytes, padded with zeros to a multiple of 32, are taken in blocks of four words:
//     lane[i] = round(lane[i], word[i]).
//   h = number of bytes before padding; for i = 0..3: h = round(h, lane[i]).
//   h ^= h >> 32; h *= kHashWord; h ^= h >> 29. A result of 0 is replaced by 1, as 0 means "no hash" in a
//   plan.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bantam {

static_assert(std::endian::native == std::endian::little, "plans are little-endian and used in place");

inline constexpr uint64_t kHashLane = 0x9e3779b185ebca87;
inline constexpr uint64_t kHashWord = 0xc2b2ae3d27d4eb4f;

// Hashes bytes that come in pieces; how they are cut does not matter.
class Hash64 {
 public:
  void update(const void* data, size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    total_ += size;
    if (pending_ != 0) {
      const size_t missing = kBlock - pending_;
      const size_t taken = size < missing ? size : missing;
      std::memcpy(block_ + pending_, bytes, taken);
      pending_ += taken;
      bytes += taken;
      size -= taken;
      if (pending_ < kBlock) return;
      add_blocks(block_, 1);
      pending_ = 0;
    }
    add_blocks(bytes, size / kBlock);
    pending_ = size % kBlock;
    if (pending_ != 0) std::memcpy(block_, bytes + (size - pending_), pending_);
  }

  uint64_t finish() {
    if (pending_ != 0) {
      std::memset(block_ + pending_, 0, kBlock - pending_);
      add_blocks(block_, 1);
      pending_ = 0;
    }
    uint64_t hash = total_;
    for (const uint64_t lane : lanes_) hash = round(hash, lane);
    hash ^= hash >> 32;
    hash *= kHashWord;
    hash ^= hash >> 29;
    return hash == 0 ? 1 : hash;
  }

 private:
  static constexpr size_t kBlock = 32;

  static uint64_t round(uint64_t hash, uint64_t word) {
    return std::rotl(hash + word * kHashWord, 31) * kHashLane;
  }

  void add_blocks(const unsigned char* bytes, size_t count) {
    uint64_t lanes[4] = {lanes_[0], lanes_[1], lanes_[2], lanes_[3]};
    for (size_t block = 0; block < count; ++block, bytes += kBlock) {
      uint64_t words[4];
      std::memcpy(words, bytes, kBlock);
      for (int i = 0; i < 4; ++i) lanes[i] = round(lanes[i], words[i]);
    }
    std::memcpy(lanes_, lanes, sizeof(lanes_));
  }

  uint64_t lanes_[4] = {1 * kHashLane, 2 * kHashLane, 3 * kHashLane, 4 * kHashLane};
  uint64_t total_ = 0;
  size_t pending_ = 0;
  unsigned char block_[kBlock] = {};
};

inline uint64_t hash64(const void* data, size_t size) {
  Hash64 hash;
  hash.update(data, size);
  return hash.finish();
}

}  // namespace bantam
