// Runs plans with a kernel table of the test's choice, where the C API has its own.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "bantam/compiler/compiler.h"
#include "bantam/runtime/kernel.h"

namespace bantam::test {

class TableRunner {
 public:
  // Throws std::runtime_error with the runtime's message.
  TableRunner(const KernelTable& kernels, std::span<const std::byte> plan);
  ~TableRunner();

  // All inputs and outputs are dense.
  std::vector<compiler::TensorData> run(std::span<const compiler::TensorData> inputs);
  int float16_ops() const;  // how many compute in float16

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace bantam::test
