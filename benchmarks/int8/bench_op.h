// One op made ready to be timed, with one thread.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "bantam/runtime/kernel.h"
#include "hwy/aligned_allocator.h"

namespace bantam::bench {

struct Tensor {
  Tensor(plan::DType dtype, std::vector<int32_t> dims, float scale = 0.02f, int32_t zero_point = 0);

  TensorInfo info;
  std::vector<float> scales;
  hwy::AlignedFreeUniquePtr<uint8_t[]> bytes;  // followed by kReadPadding bytes
};

class BenchOp {
 public:
  explicit BenchOp(plan::OpT op);
  Tensor& input(Tensor tensor);
  Tensor& constant(Tensor tensor);
  Tensor& output(Tensor tensor);
  // Makes the kernel and runs it as often as `state` wants; skips with the kernel's reason when it refuses.
  void run(benchmark::State& state, Status (*factory)(const OpContext&, Kernel**));

 private:
  std::vector<uint8_t> op_;
  std::vector<std::unique_ptr<Tensor>> inputs_, outputs_;
};

}  // namespace bantam::bench
