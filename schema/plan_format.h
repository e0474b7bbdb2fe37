// The file around a plan: header, metadata (a flatbuffer, plan.fbs), weights.
//
//   offset 0                  Header, 64 bytes, little-endian
//   offset 64                 metadata, `metadata_bytes` long
//   offset `weights_offset`   weights, 64-byte aligned, `weights_bytes` long, then kReadPadding zero bytes
#pragma once

#include <cstddef>
#include <cstdint>

namespace bantam {

inline constexpr uint32_t kPlanMagic = 0x544e4142;  // "BANT"
inline constexpr uint16_t kPlanMajor = 1;           // must match
inline constexpr uint16_t kPlanMinor = 1;           // an older one loads for ever, a newer one does not
inline constexpr uint16_t kPlanMinorNoZeros = 1;  // has Encoding::kNoZeros; plans without any are of minor 0

inline constexpr int kMaxRank = 8;
inline constexpr size_t kTensorAlignment = 64;

// Kernels may read, and ignore, this many bytes past the end of a tensor (XNNPACK's XNN_EXTRA_BYTES).
inline constexpr size_t kReadPadding = 128;

struct PlanHeader {
  uint32_t magic;
  uint16_t major;
  uint16_t minor;
  uint64_t file_bytes;
  uint64_t metadata_bytes;
  uint64_t weights_offset;
  uint64_t weights_bytes;
  uint64_t checksum;  // hash64 of metadata and weights (everything behind the header)
  uint64_t reserved[2];
};
static_assert(sizeof(PlanHeader) == 64);

}  // namespace bantam
