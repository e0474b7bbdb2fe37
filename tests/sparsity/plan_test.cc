// Plans whose weights lack their zeros compute what they would with them, bit for bit.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

#include "bantam/compiler/compiler.h"
#include "emit/zeros.h"
#include "engine/plan_runner.h"
#include "stages/plan_reader.h"
#include "support/plan_builder.h"
#include "zero_mask.h"

namespace bantam::tests {
namespace {

using compiler::CompileOptions;
using compiler::Precision;
using compiler::TensorData;
using plan::DType;
const std::string kOnnx = BANTAM_EXAMPLES "/digits/digits.onnx";

struct Parts {
  PlanHeader header;
  std::unique_ptr<plan::PlanT> plan;
  const std::byte* weights;
};

Parts split(const std::vector<std::byte>& file) {
  Parts parts;
  std::memcpy(&parts.header, file.data(), sizeof(parts.header));
  parts.plan = plan::UnPackPlan(file.data() + sizeof(PlanHeader));
  parts.weights = file.data() + parts.header.weights_offset;
  return parts;
}

// The same plan with all zeros.
std::vector<std::byte> with_zeros(const std::vector<std::byte>& file) {
  const Parts parts = split(file);
  std::vector<std::byte> weights;
  for (const auto& tensor : parts.plan->tensors) {
    if (tensor->storage != plan::Storage::kWeights) continue;
    uint64_t elements = 1;
    for (const int32_t dim : tensor->shape) elements *= static_cast<uint64_t>(dim);
    const size_t element = compiler::element_size(tensor->dtype);
    std::vector<std::byte> whole(elements * element);
    const std::byte* stored = parts.weights + tensor->offset;
    if (tensor->encoding == plan::Encoding::kNoZeros) {
      REQUIRE(put_zeros_back(stored, tensor->stored_bytes, elements, element, whole.data()));
      CHECK(tensor->stored_bytes < whole.size());
    } else {
      std::copy_n(stored, whole.size(), whole.begin());
    }
    tensor->encoding = plan::Encoding::kPlain;
    tensor->stored_bytes = 0;
    weights.resize((weights.size() + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment);
    tensor->offset = weights.size();
    weights.insert(weights.end(), whole.begin(), whole.end());
  }
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(plan::Plan::Pack(builder, parts.plan.get()));
  const test::AlignedBytes bytes = test::plan_file(builder.GetBufferPointer(), builder.GetSize(), weights);
  return {bytes.data(), bytes.data() + bytes.size()};
}

int without_zeros(const std::vector<std::byte>& file) {
  const Parts parts = split(file);
  return static_cast<int>(std::ranges::count_if(
      parts.plan->tensors, [](const auto& t) { return t->encoding == plan::Encoding::kNoZeros; }));
}

std::vector<TensorData> random_input(const std::vector<int64_t>& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  TensorData data{plan::DType::kFloat32, shape, {}};
  size_t count = 1;
  for (const int64_t dim : shape) count *= static_cast<size_t>(dim);
  for (size_t i = 0; i < count; ++i) {
    const float value = uniform(random);
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    data.bytes.insert(data.bytes.end(), bytes, bytes + sizeof(value));
  }
  return {data};
}

std::vector<std::byte> compile(CompileOptions options, double share) {
  options.sparsity = compiler::SparsityOptions{share, compiler::SparsityCriterion::kMagnitude};
  options.shapes = {};
  options.calibration =
      compiler::SampleSource{16,
                             [](int index) {
                               return random_input({1, 1, 32, 32}, static_cast<unsigned>(index));
                             },
                             "random"};
  return compiler::compile(kOnnx, options, tools::plan_runner_factory()).plan;
}

struct Case {
  const char* name;
  Precision precision;
  int weight_bits;
  bool quantize_rows;
};

TEST_CASE("plans compute the same with and without zeros in them, in every precision") {
  for (const Case& it :
       {Case{"fp32", Precision::kFp32, 0, false}, Case{"fp16", Precision::kFp16, 0, false},
        Case{"int8", Precision::kInt8, 0, false}, Case{"narrow", Precision::kFp32, 8, false},
        Case{"rows", Precision::kFp32, 8, true}, Case{"nibbles", Precision::kFp32, 4, false}}) {
    INFO(it.name);
    CompileOptions options;
    options.precision = it.precision;
    options.weight_bits = it.weight_bits;
    options.quantize_rows = it.quantize_rows;
    const std::vector<std::byte> sparse = compile(options, 0.7), whole = with_zeros(sparse);
    CHECK(without_zeros(sparse) >= 2);
    CHECK(split(sparse).header.minor == kPlanMinorNoZeros);
    CHECK(sparse.size() < whole.size());
    const auto a = tools::plan_runner_factory()(sparse), b = tools::plan_runner_factory()(whole);
    for (unsigned seed = 100; seed < 108; ++seed) {
      const std::vector<TensorData> input = random_input({1, 1, 32, 32}, seed);
      CHECK(a->run(input, {})[0].bytes == b->run(input, {})[0].bytes);
    }
    CHECK(compiler::PlanReader(sparse).ops_with_weights() >= compiler::PlanReader(whole).ops_with_weights());
  }
}

TEST_CASE("a plan without many zeros is of the format before") {
  const std::vector<std::byte> plan = compile({}, 0.001);
  CHECK(without_zeros(plan) == 0);
  CHECK(split(plan).header.minor == 0);
}

TEST_CASE("weights are stored without zeros only where that is smaller") {
  for (const DType dtype : {DType::kFloat32, DType::kInt8}) {
    for (const int64_t count : {1, 63, 64, 65, 1000}) {
      for (int zeros = 0; zeros <= 10; ++zeros) {
        compiler::Tensor tensor(compiler::TensorType{dtype, {count}});
        const size_t element = compiler::element_size(dtype);
        for (size_t i = 0; i < tensor.bytes.size(); ++i)
          tensor.bytes[i] = static_cast<std::byte>(static_cast<int>(i / element * 7 % 10) < zeros ? 0 : 1);
        const std::vector<std::byte> packed = compiler::without_zeros(tensor);
        if (packed.empty()) {
          CHECK((zeros <= 2 || count == 1 || (count < 1000 && dtype == DType::kInt8)));
          continue;
        }
        CHECK(packed.size() < tensor.bytes.size());
        CHECK(is_without_zeros(packed.data(), packed.size(), static_cast<uint64_t>(count), element));
        std::vector<std::byte> back(tensor.bytes.size());
        REQUIRE(
            put_zeros_back(packed.data(), packed.size(), static_cast<uint64_t>(count), element, back.data()));
        CHECK(back == tensor.bytes);
      }
    }
  }
}

}  // namespace
}  // namespace bantam::tests
