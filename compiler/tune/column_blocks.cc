#include "tune/column_blocks.h"

#include <algorithm>

namespace bantam::compiler {

std::vector<Block> blocks_of(int64_t taps, int64_t channels, int64_t per_group, int64_t group, int64_t most) {
  const int64_t together = std::max<int64_t>(most / taps, 1);
  const int64_t count = (per_group + together - 1) / together;
  std::vector<Block> blocks;
  for (int64_t b = 0; b < count; ++b) {
    Block block;
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t c = b * per_group / count; c < (b + 1) * per_group / count; ++c) {
        block.of_rows.push_back(tap * channels + group * per_group + c);
        block.of_weights.push_back(tap * per_group + c);
      }
    }
    blocks.push_back(std::move(block));
  }
  return blocks;
}

}  // namespace bantam::compiler
