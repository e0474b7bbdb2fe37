// Constants without their zeros (Encoding::kNoZeros): a mask with a bit per element, in words of 8 bytes,
// element i being bit i % 64 of word i / 64; then, one after the other, the elements whose bit is 1. Bits
// behind the last element are 0. A zero is an element of which all bits are 0: -0 is none.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bantam {

inline constexpr uint64_t kMaskWord = 64;  // elements

inline uint64_t zero_mask_bytes(uint64_t elements) {
  return (elements + kMaskWord - 1) / kMaskWord * sizeof(uint64_t);
}

inline uint64_t zero_mask_word(const std::byte* stored, uint64_t index) {
  uint64_t word;
  std::memcpy(&word, stored + index * sizeof(word), sizeof(word));
  return word;
}

// How many elements are stored. `stored` has zero_mask_bytes(elements) bytes.
inline uint64_t count_stored(const std::byte* stored, uint64_t elements) {
  uint64_t count = 0;
  for (uint64_t i = 0; i < zero_mask_bytes(elements) / sizeof(uint64_t); ++i)
    count += static_cast<uint64_t>(std::popcount(zero_mask_word(stored, i)));
  return count;
}

// Whether the mask and what it says to follow it are just `bytes` long.
inline bool is_without_zeros(const std::byte* stored, uint64_t bytes, uint64_t elements,
                             size_t element_bytes) {
  const uint64_t mask = zero_mask_bytes(elements);
  if (bytes < mask) return false;
  const uint64_t behind = elements % kMaskWord;
  if (behind != 0 && zero_mask_word(stored, elements / kMaskWord) >> behind != 0) return false;
  return bytes - mask == count_stored(stored, elements) * element_bytes;
}

// Writes the elements that are not zero to `out`, which holds zeros. False, with `out` undefined, when the
// stored bytes are not sound; nothing is read or written outside of either even then.
inline bool put_zeros_back(const std::byte* stored, uint64_t bytes, uint64_t elements, size_t element_bytes,
                           std::byte* out) {
  const uint64_t mask = zero_mask_bytes(elements);
  if (bytes < mask) return false;
  uint64_t at = mask;
  for (uint64_t i = 0; i * kMaskWord < elements; ++i) {
    uint64_t word = zero_mask_word(stored, i);
    for (; word != 0; word &= word - 1, at += element_bytes) {
      const uint64_t element = i * kMaskWord + static_cast<uint64_t>(std::countr_zero(word));
      if (element >= elements || element_bytes > bytes - at) return false;
      std::memcpy(out + element * element_bytes, stored + at, element_bytes);
    }
  }
  return at == bytes;
}

}  // namespace bantam
