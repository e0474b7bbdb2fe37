#include "int8/int8_kernels.h"
#include "one_op.h"
#include "reference.h"

namespace bantam::test {
namespace {

constexpr float kScale = 0.083f;

Tensor exponentials() {
  Tensor table(plan::DType::kInt32, {256});
  for (int i = 0; i < 256; ++i) {
    table.data<int32_t>()[i] = static_cast<int32_t>(std::lrint(std::exp(-i * double(kScale)) * 8388608.0));
  }
  return table.constant();
}

std::vector<float> reference_rows(const Tensor& x, const Tensor& table, int32_t length) {
  std::vector<float> out;
  const std::vector<int8_t> values = x.values<int8_t>();
  for (size_t row = 0; row < values.size(); row += static_cast<size_t>(length)) {
    const auto begin = values.begin() + static_cast<ptrdiff_t>(row), end = begin + length;
    const int8_t top = *std::max_element(begin, end);
    int64_t sum = 0;
    for (auto it = begin; it != end; ++it) sum += table.data<int32_t>()[top - *it];
    for (auto it = begin; it != end; ++it) {
      out.push_back(static_cast<float>(table.data<int32_t>()[top - *it]) * (1.0f / static_cast<float>(sum)));
    }
  }
  return out;
}

TEST_CASE("int8 softmax") {
  Tensor table = exponentials();
  for (const int32_t length : {1, 2, 10, 21, 255, 256, 1000}) {
    Tensor x = int8_tensor({3, 5, length}, kScale, 7, length + 3),
           y = int8_tensor({3, 5, length}, 1.0f / 256, -128);
    Tensor floats = float_tensor({3, 5, length});
    randomize(x, 4);
    const std::vector<float> expected = reference_rows(x, table, length);
    OneOp op(plan::OpCode::kSoftmax, {&x, &table}, {&floats});
    op.op.attributes.Set(plan::SoftmaxT());
    check_everywhere(op, kernels::create_int8_softmax, expected);
    std::vector<int8_t> quantized;
    for (const float p : expected) quantized.push_back(quantize(p, 1.0f / 256, -128));
    op.outputs[0] = &y;
    check_everywhere(op, kernels::create_int8_softmax, quantized);
  }
}

TEST_CASE("int8 softmax is close to the real one") {
  Tensor table = exponentials();
  Tensor x = int8_tensor({1, 50}, kScale, 7), y = float_tensor({1, 50});
  randomize(x, 9);
  OneOp op(plan::OpCode::kSoftmax, {&x, &table}, {&y});
  op.op.attributes.Set(plan::SoftmaxT());
  REQUIRE(op.run(kernels::create_int8_softmax).ok());
  double sum = 0;
  for (const int8_t v : x.values<int8_t>()) sum += std::exp(double(kScale) * v);
  for (int i = 0; i < 50; ++i) {
    CHECK(std::abs(y.data<float>()[i] - std::exp(double(kScale) * x.data<int8_t>()[i]) / sum) < 1e-6);
  }
}

TEST_CASE("int8 softmax refuses a missing or wrong table") {
  Tensor x = int8_tensor({1, 8}, kScale), y = float_tensor({1, 8});
  Tensor zeros(plan::DType::kInt32, {256});
  OneOp op(plan::OpCode::kSoftmax, {&x}, {&y});
  op.op.attributes.Set(plan::SoftmaxT());
  CHECK(op.run(kernels::create_int8_softmax).code() == StatusCode::kUnsupported);
  op.inputs.push_back(&zeros.constant());
  CHECK(op.run(kernels::create_int8_softmax).code() == StatusCode::kUnsupported);
}

}  // namespace
}  // namespace bantam::test
