#include "xnn/output_blocks.h"

#include <algorithm>

namespace bantam::kernels {

namespace {

// Weights that stay beside the core: most have 512 KiB or more there.
constexpr int64_t kCacheBytes = int64_t{384} * 1024;
constexpr int64_t kBlockBytes = int64_t{256} * 1024;
// Output channels of XNNPACK's widest tile.
constexpr int32_t kTile = 32;
// Two or three of XNNPACK's tiles of pixels: weights are read hardly more than once.
constexpr int64_t kFewPixels = 16;

}  // namespace

int32_t channels_per_block(int32_t channels, int64_t channel_bytes, int64_t pixels) {
  if (pixels <= kFewPixels || channel_bytes * channels <= kCacheBytes) return channels;
  const int64_t fitting = std::max<int64_t>(kBlockBytes / channel_bytes / kTile * kTile, kTile);
  if (fitting >= channels) return channels;
  const int64_t blocks = (channels + fitting - 1) / fitting;
  const int64_t even = (channels + blocks - 1) / blocks;
  return static_cast<int32_t>((even + kTile - 1) / kTile * kTile);
}

BlockedKernel::~BlockedKernel() {
  for (Kernel* block : blocks_) delete block;
}

Status BlockedKernel::init(const OpContext& context, int32_t channels, int32_t per_block,
                           Status (*create)(const OpContext& context, Kernel** out, OutputBlock block)) {
  const auto count = static_cast<size_t>((channels + per_block - 1) / per_block);
  if (!blocks_.allocate(count)) return out_of_memory(context);
  for (size_t i = 0; i < count; ++i) {
    const int32_t first = static_cast<int32_t>(i) * per_block;
    BANTAM_RETURN_IF_ERROR(create(context, &blocks_[i], {first, std::min(per_block, channels - first)}));
  }
  return ok_status();
}

Status BlockedKernel::run(const RunContext& context) {
  for (Kernel* block : blocks_) BANTAM_RETURN_IF_ERROR(block->run(context));
  return ok_status();
}

size_t BlockedKernel::workspace_bytes() const {
  size_t most = 0;
  for (const Kernel* block : blocks_) most = std::max(most, block->workspace_bytes());
  return most;
}

size_t BlockedKernel::state_bytes() const {
  size_t sum = 0;
  for (const Kernel* block : blocks_) sum += block->state_bytes();
  return sum;
}

bool BlockedKernel::reads_constants() const {
  return std::any_of(blocks_.begin(), blocks_.end(),
                     [](const Kernel* block) { return block->reads_constants(); });
}

}  // namespace bantam::kernels
