// Runs one op through one of our kernel factories, on every instruction set that this CPU and build have.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "bantam/runtime/kernel.h"
#include "hwy/aligned_allocator.h"
#include "threads.h"

namespace bantam::test {

struct Tensor {
  Tensor(plan::DType dtype, std::vector<int32_t> dims, std::vector<float> scales = {}, int32_t zero_point = 0,
         int32_t pixel_stride = 0);

  template <typename T>
  T* data() {
    return reinterpret_cast<T*>(bytes.data());
  }
  template <typename T>
  const T* data() const {
    return reinterpret_cast<const T*>(bytes.data());
  }
  // The elements in order, without what lies between the pixels of a view.
  template <typename T>
  std::vector<T> values() const {
    const int32_t row = info.rank == 0 ? 1 : info.dims[info.rank - 1];
    std::vector<T> out(static_cast<size_t>(info.elements));
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = data<T>()[i / static_cast<size_t>(row) * static_cast<size_t>(info.pixel_stride) +
                         i % static_cast<size_t>(row)];
    }
    return out;
  }
  Tensor& constant() {
    is_constant = true;
    return *this;
  }

  TensorInfo info;
  std::vector<float> scales;
  std::vector<uint8_t> bytes;  // followed by kReadPadding bytes
  bool is_constant = false;
};

Tensor int8_tensor(std::vector<int32_t> dims, float scale = 1.0f, int32_t zero_point = 0,
                   int32_t pixel_stride = 0);
Tensor float_tensor(std::vector<int32_t> dims);

// Fills with values from the whole range of int8 (uint8), both ends included often.
void randomize(Tensor& tensor, uint32_t seed);

using Factory = Status (*)(const OpContext& context, Kernel** out);

// An op with its tensors. `inputs` are filled by the caller; outputs are overwritten by run().
struct OneOp {
  OneOp(plan::OpCode code, std::vector<Tensor*> inputs_, std::vector<Tensor*> outputs_)
      : inputs(std::move(inputs_)), outputs(std::move(outputs_)) {
    op.code = code;
  }

  plan::OpT op;
  std::vector<Tensor*> inputs;
  std::vector<Tensor*> outputs;
  bool float16 = false;  // computes in it

  Status create(Factory factory, std::unique_ptr<Kernel>& kernel, ThreadPool* threads = nullptr);
  // Makes and runs the kernel; the outputs' bytes are 0x5a before.
  Status run(Factory factory, ThreadPool* threads = nullptr);

 private:
  std::vector<uint8_t> packed_op_;
};

// Calls body once for each instruction set, with only that one allowed.
void for_each_target(const std::function<void()>& body);
const char* target_name();

// Three threads that all tests share.
ThreadPool* shared_threads();

// Runs `op` and compares the first output with `expected`.
template <typename T>
void check_run(OneOp& op, Factory factory, const std::vector<T>& expected, ThreadPool* threads) {
  const Status status = op.run(factory, threads);
  INFO(target_name() << (threads == nullptr ? ", " : ", threads, ") << status.where() << ": "
                     << status.what());
  REQUIRE(status.ok());
  const std::vector<T> got = op.outputs[0]->values<T>();
  REQUIRE(got.size() == expected.size());
  size_t bad = 0;
  while (bad < got.size() && std::memcmp(&got[bad], &expected[bad], sizeof(T)) == 0) ++bad;
  if (bad < got.size()) {
    FAIL("element " << bad << " of " << got.size() << " is " << +got[bad] << ", not " << +expected[bad]);
  }
}

// The same on every instruction set, and on the best of them with several threads.
template <typename T>
void check_everywhere(OneOp& op, Factory factory, const std::vector<T>& expected) {
  for_each_target([&] { check_run(op, factory, expected, nullptr); });
  check_run(op, factory, expected, shared_threads());
}

}  // namespace bantam::test
