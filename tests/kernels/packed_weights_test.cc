#include "packed_weights.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "support.h"

namespace bantam::test {
namespace {

TEST_CASE("Packed weights are found again under their whole key only") {
  PackedWeights packed;
  const PackedWeights::Key key = {3, 32, 7};
  CHECK(packed.find(key) == nullptr);
  void* block = packed.reserve(100);
  REQUIRE(block != nullptr);
  CHECK(reinterpret_cast<uintptr_t>(block) % kTensorAlignment == 0);
  CHECK(packed.insert(key, block) == block);
  CHECK(packed.find(key) == block);
  CHECK(packed.bytes() == 100);
  CHECK(packed.find({4, 32, 7}) == nullptr);
  CHECK(packed.find({3, 0, 7}) == nullptr);
  CHECK(packed.find({3, 32, 8}) == nullptr);
  // The second of two packers gets the first one's block, and its own is released.
  CHECK(packed.insert(key, packed.reserve(100)) == block);
  CHECK(packed.bytes() == 100);
  packed.release(packed.reserve(10));
  CHECK(packed.reserve(SIZE_MAX - 10) == nullptr);
}

TEST_CASE("Packed weights of many megabytes do not overlap") {
  PackedWeights packed;
  std::vector<std::pair<unsigned char*, size_t>> blocks;
  size_t bytes = 0;
  // From small ones, of pages of their own, to one that is larger than a chunk of several.
  for (const size_t size : {1000u, 3u << 20, 1u << 20, 300'001u, 20u << 20, 15u << 20, 900'000u, 2u << 20}) {
    auto* block = static_cast<unsigned char*>(packed.reserve(size));
    REQUIRE(block != nullptr);
    CHECK(reinterpret_cast<uintptr_t>(block) % kTensorAlignment == 0);
    std::memset(block, static_cast<int>(blocks.size() + 1), size);
    CHECK(packed.insert({static_cast<int32_t>(blocks.size()), 0, 0}, block) == block);
    packed.release(packed.reserve(size));
    blocks.emplace_back(block, size);
    bytes += size;
  }
  CHECK(packed.bytes() == bytes);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto [block, size] = blocks[i];
    CHECK(std::all_of(block, block + size, [&](unsigned char byte) { return byte == i + 1; }));
    CHECK(
        std::all_of(block + size, block + size + kReadPadding, [](unsigned char byte) { return byte == 0; }));
  }
}

TEST_CASE("Lent weights go before one's own, and only these are listed") {
  alignas(kTensorAlignment) const char bytes[64 + kReadPadding] = {};
  const PackedEntry lent[] = {{3, 32, 7, bytes, 64}};
  PackedWeights packed;
  packed.lend(lent);
  CHECK(packed.find({3, 32, 7}) == bytes);
  CHECK(packed.insert({3, 32, 7}, packed.reserve(64)) == bytes);
  CHECK(packed.bytes() == 0);
  CHECK(packed.list(nullptr, 0) == 0);
  const void* own = packed.insert({3, 0, 9}, packed.reserve(10));
  PackedEntry listed;
  CHECK(packed.list(&listed, 1) == 1);
  CHECK(listed.op == 3);
  CHECK(listed.part == 0);
  CHECK(listed.seed == 9);
  CHECK(listed.data == own);
  CHECK(listed.bytes == 10);
}

// A float convolution of 16 channels, its weights constant.
struct Convolution {
  Tensor x = floats({1, 6, 6, 16}), w, y = floats({1, 6, 6, 16});
  flatbuffers::FlatBufferBuilder builder;
  const TensorInfo* inputs[2] = {&x.info, &w.info};
  const TensorInfo* outputs[1] = {&y.info};
  OpContext context;

  Convolution(int groups, int dilation) : w(floats({16, 3, 3, 16 / groups})) {
    fill_uniform(w, 1);
    fill_uniform(x, 2);
    plan::OpT op;
    op.code = plan::OpCode::kConv2d;
    plan::Conv2dT attributes;
    attributes.pad_top = attributes.pad_bottom = attributes.pad_left = attributes.pad_right = dilation;
    attributes.dilation_h = attributes.dilation_w = dilation;
    attributes.groups = groups;
    op.attributes.Set(attributes);
    builder.Finish(plan::Op::Pack(builder, &op));
    w.info.data = w.bytes.data();
    context.op = flatbuffers::GetRoot<plan::Op>(builder.GetBufferPointer());
    context.inputs = inputs;
    context.input_count = 2;
    context.outputs = outputs;
    context.output_count = 1;
  }

  std::vector<uint8_t> run(Kernel* kernel) {
    REQUIRE(kernel != nullptr);
    const void* in[] = {x.bytes.data(), w.bytes.data()};
    void* out[] = {y.bytes.data()};
    RunContext run;
    run.inputs = in;
    run.outputs = out;
    REQUIRE(kernel->workspace_bytes() == 0);
    REQUIRE(kernel->run(run).ok());
    return {y.bytes.begin(), y.bytes.end()};
  }
};

// Kernels that are made from many threads at once, as the sessions of a model are.
TEST_CASE("Sessions share what they pack") {
  const KernelTable& table = kernels::kernel_table();
  // By XNNPACK's gemm, by our depthwise kernel, by XNNPACK's, which packs before it looks.
  for (const auto& [groups, dilation] : {std::pair{1, 1}, {16, 1}, {16, 2}}) {
    Convolution conv(groups, dilation);
    REQUIRE(table.create_packed(&conv.context.packed).ok());
    Kernel* kernels[8] = {};
    std::vector<std::thread> threads;
    for (Kernel*& kernel : kernels) {
      threads.emplace_back([&] { static_cast<void>(table.create(conv.context, &kernel).ok()); });
    }
    for (std::thread& thread : threads) thread.join();
    const size_t bytes = table.packed_bytes(conv.context.packed);
    CHECK(bytes >= conv.w.info.bytes);
    CHECK(bytes < 2 * conv.w.info.bytes + 1024);

    const std::vector<uint8_t> first = conv.run(kernels[0]);
    for (Kernel* kernel : kernels) {
      CHECK(first == conv.run(kernel));
      delete kernel;
    }
    table.destroy_packed(conv.context.packed);
  }
}

TEST_CASE("Weights that another store has packed serve without the originals") {
  const KernelTable& table = kernels::kernel_table();
  for (const auto& [groups, dilation] : {std::pair{1, 1}, {16, 1}, {16, 2}}) {
    Convolution conv(groups, dilation);
    PackedWeights *first = nullptr, *second = nullptr;
    REQUIRE(table.create_packed(&first).ok());
    REQUIRE(table.create_packed(&second).ok());
    Kernel *packing = nullptr, *using_lent = nullptr;
    conv.context.packed = first;
    conv.context.index = 5;
    REQUIRE(table.create(conv.context, &packing).ok());
    const std::vector<uint8_t> expected = conv.run(packing);
    PackedEntry entry;
    REQUIRE(table.list_packed(first, &entry, 1) == 1);
    CHECK(entry.op == 5);
    CHECK(packing->reads_constants() == (dilation == 2));

    table.lend_packed(second, {&entry, 1});
    conv.context.packed = second;
    std::fill(conv.w.bytes.begin(), conv.w.bytes.end(), uint8_t{0x55});
    REQUIRE(table.create(conv.context, &using_lent).ok());
    CHECK(conv.run(using_lent) == expected);
    CHECK(table.packed_bytes(second) == 0);
    delete packing;
    delete using_lent;
    table.destroy_packed(second);
    table.destroy_packed(first);
  }
}

// XNNPACK's seeds are made of sizes alone.
TEST_CASE("Weights packed for float16 are not taken for those of float32") {
  const auto key = [](plan::DType type, PackedWeights* packed) {
    TensorInfo x;
    x.dtype = type;
    const TensorInfo* inputs[] = {&x};
    OpContext context;
    context.inputs = inputs;
    context.input_count = 1;
    context.packed = packed;
    kernels::XnnPackedWeights view;
    view.init(context);
    xnn_weights_cache_t cache = view.get();
    const xnn_weights_cache_look_up_key wanted = {7, nullptr, nullptr};
    if (const size_t found = cache->look_up(cache->context, &wanted); found != SIZE_MAX) return found;
    return cache->look_up_or_insert(cache->context, &wanted, cache->reserve_space(cache->context, 16), 16);
  };
  PackedWeights packed;
  const size_t wide = key(plan::DType::kFloat32, &packed), half = key(plan::DType::kFloat16, &packed);
  CHECK(wide != half);
  CHECK(key(plan::DType::kFloat32, &packed) == wide);
  CHECK(key(plan::DType::kFloat16, &packed) == half);
}

TEST_CASE("The number of a packing is the same for a whole process") {
  CHECK(kernels::kernel_table().packing_id() != 0);
  CHECK(kernels::kernel_table().packing_id() == kernels::kernel_table().packing_id());
}

TEST_CASE("An op without a kernel is refused by name") {
  Tensor x = floats({1}), y = floats({1});
  OneOp op(plan::OpCode::kNone, {&x}, {&y});
  check_refused(op);
}

}  // namespace
}  // namespace bantam::test
