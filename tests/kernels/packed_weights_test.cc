#include "packed_weights.h"

#include <thread>

#include "support.h"

namespace bantam::test {
namespace {

TEST_CASE("Packed weights are found again under their whole key only") {
  PackedWeights packed;
  int a = 0, b = 0;
  const PackedWeights::Key key = {&a, &b, nullptr, 7};
  CHECK(packed.find(key) == nullptr);
  void* block = packed.reserve(100);
  REQUIRE(block != nullptr);
  CHECK(reinterpret_cast<uintptr_t>(block) % kTensorAlignment == 0);
  CHECK(packed.insert(key, block) == block);
  CHECK(packed.find(key) == block);
  CHECK(packed.bytes() == 100);
  CHECK(packed.find({&b, &b, nullptr, 7}) == nullptr);
  CHECK(packed.find({&a, &b, &a, 7}) == nullptr);
  CHECK(packed.find({&a, &b, nullptr, 8}) == nullptr);
  // The second of two packers gets the first one's block, and its own is released.
  CHECK(packed.insert(key, packed.reserve(100)) == block);
  CHECK(packed.bytes() == 100);
  packed.release(packed.reserve(10));
  CHECK(packed.reserve(SIZE_MAX - 10) == nullptr);
}

// A convolution whose kernels are made from many threads at once, as the sessions of a model are.
TEST_CASE("Sessions share what they pack") {
  const KernelTable& table = kernels::kernel_table();
  // By XNNPACK's gemm, by our depthwise kernel, by XNNPACK's, which packs before it looks.
  for (const auto& [groups, dilation] : {std::pair{1, 1}, {16, 1}, {16, 2}}) {
    Tensor x = floats({1, 6, 6, 16}), w = floats({16, 3, 3, 16 / groups}), y = floats({1, 6, 6, 16});
    fill_uniform(w, 1);
    fill_uniform(x, 2);
    plan::OpT op;
    op.code = plan::OpCode::kConv2d;
    plan::Conv2dT attributes;
    attributes.pad_top = attributes.pad_bottom = attributes.pad_left = attributes.pad_right = dilation;
    attributes.dilation_h = attributes.dilation_w = dilation;
    attributes.groups = groups;
    op.attributes.Set(attributes);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(plan::Op::Pack(builder, &op));
    w.info.data = w.bytes.data();
    const TensorInfo* inputs[] = {&x.info, &w.info};
    const TensorInfo* outputs[] = {&y.info};
    OpContext context;
    context.op = flatbuffers::GetRoot<plan::Op>(builder.GetBufferPointer());
    context.inputs = inputs;
    context.input_count = 2;
    context.outputs = outputs;
    context.output_count = 1;
    REQUIRE(table.create_packed(&context.packed).ok());

    Kernel* kernels[8] = {};
    std::vector<std::thread> threads;
    for (Kernel*& kernel : kernels) {
      threads.emplace_back([&] { static_cast<void>(table.create(context, &kernel).ok()); });
    }
    for (std::thread& thread : threads) thread.join();
    const size_t bytes = table.packed_bytes(context.packed);
    CHECK(bytes >= w.info.bytes);
    CHECK(bytes < 2 * w.info.bytes + 1024);

    std::vector<uint8_t> first;
    for (Kernel* kernel : kernels) {
      REQUIRE(kernel != nullptr);
      const void* in[] = {x.bytes.data(), w.bytes.data()};
      void* out[] = {y.bytes.data()};
      RunContext run;
      run.inputs = in;
      run.outputs = out;
      REQUIRE(kernel->workspace_bytes() == 0);
      REQUIRE(kernel->run(run).ok());
      if (first.empty()) first = y.bytes;
      CHECK(first == y.bytes);
      delete kernel;
    }
    table.destroy_packed(context.packed);
  }
}

TEST_CASE("An op without a kernel is refused by name") {
  Tensor x = floats({1}), y = floats({1});
  OneOp op(plan::OpCode::kNone, {&x}, {&y});
  check_refused(op);
}

}  // namespace
}  // namespace bantam::test
