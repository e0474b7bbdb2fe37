// Convolutions whose weights do not fit the cache beside the core. XNNPACK takes a few output pixels at a
// time and streams all weights past them; from the next cache level that is bound by bandwidth. Such a
// convolution is made one operator per block of output channels, whose weights stay in the cache while all
// pixels pass.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bantam/runtime/array.h"
#include "kernel_support.h"

namespace bantam::kernels {

// Output channels [first, first + count) of a convolution.
struct OutputBlock {
  int32_t first = 0;
  int32_t count = 0;
};

// How many channels to take at once: all of them, or a multiple of XNNPACK's widest tile. `channel_bytes`:
// packed weights of one; `pixels`: of the output, all samples.
int32_t channels_per_block(int32_t channels, int64_t channel_bytes, int64_t pixels);

// Runs one kernel per block.
class BlockedKernel final : public Kernel {
 public:
  ~BlockedKernel() override;
  // create(context, out, block) makes the kernel of a block; `per_block` channels each.
  Status init(const OpContext& context, int32_t channels, int32_t per_block,
              Status (*create)(const OpContext& context, Kernel** out, OutputBlock block));

  Status run(const RunContext& context) override;
  size_t workspace_bytes() const override;
  size_t state_bytes() const override;
  bool reads_constants() const override;

 private:
  Array<Kernel*> blocks_;
};

}  // namespace bantam::kernels
