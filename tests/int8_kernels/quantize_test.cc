#include <limits>

#include "int8/int8_kernels.h"
#include "one_op.h"
#include "reference.h"

namespace bantam::test {
namespace {

TEST_CASE("quantize") {
  for (const int32_t count : {1, 7, 31, 64, 65, 100000}) {
    for (const float scale : {1.0f, 0.0173f, 3.1e-9f}) {
      Tensor x = float_tensor({count}), y = int8_tensor({count}, scale, -11);
      std::mt19937 random(7);
      std::normal_distribution<float> normal(0.0f, 60.0f * scale);
      for (int32_t i = 0; i < count; ++i) {
        // Every other value lies on, or next to, a tie.
        const float tie = (static_cast<float>(i % 300) - 150.5f) * scale;
        x.data<float>()[i] = i % 2 == 0 ? normal(random) : i % 3 == 0 ? std::nextafter(tie, 0.0f) : tie;
      }
      const float special[] = {std::nanf(""), INFINITY, -INFINITY, 3e38f,
                               -3e38f,        1e-40f,   -0.0f,     2147483648.0f * scale};
      for (int32_t i = 0; i < std::min<int32_t>(count, 8); ++i) x.data<float>()[count - 1 - i] = special[i];
      OneOp op(plan::OpCode::kQuantize, {&x}, {&y});
      std::vector<int8_t> expected;
      for (const float v : x.values<float>()) expected.push_back(quantize(v, scale, -11));
      check_everywhere(op, kernels::create_quantize, expected);
    }
  }
}

TEST_CASE("dequantize") {
  for (const int32_t count : {1, 7, 16, 61, 50000}) {
    Tensor x = int8_tensor({count}, 0.0173f, 9), y = float_tensor({count});
    randomize(x, 3);
    OneOp op(plan::OpCode::kDequantize, {&x}, {&y});
    std::vector<float> expected;
    for (const int8_t v : x.values<int8_t>()) expected.push_back(static_cast<float>(v - 9) * 0.0173f);
    check_everywhere(op, kernels::create_dequantize, expected);
  }
}

TEST_CASE("requantize, from view to view") {
  for (const int32_t channels : {1, 5, 64}) {
    Tensor x = int8_tensor({2, 4, 3, channels}, 0.031f, 9, channels + 7);
    Tensor y = int8_tensor({2, 4, 3, channels}, 0.017f, -20, channels + 3);
    randomize(x, 3);
    OneOp op(plan::OpCode::kRequantize, {&x}, {&y});
    std::vector<int8_t> expected;
    for (const int8_t v : x.values<int8_t>()) expected.push_back(requantize(v - 9, 0.031f / 0.017f, -20));
    check_everywhere(op, kernels::create_requantize, expected);
  }
}

TEST_CASE("a scale that is zero, infinite or not a number is refused") {
  for (const float scale : {0.0f, INFINITY, std::nanf(""), -1.0f}) {
    Tensor x = int8_tensor({4}, 1.0f), y = int8_tensor({4}, scale), f = float_tensor({4});
    OneOp requantize_op(plan::OpCode::kRequantize, {&x}, {&y}),
        quantize_op(plan::OpCode::kQuantize, {&f}, {&y});
    OneOp dequantize_op(plan::OpCode::kDequantize, {&y}, {&f});
    CHECK(requantize_op.run(kernels::create_requantize).code() == StatusCode::kUnsupported);
    CHECK(quantize_op.run(kernels::create_quantize).code() == StatusCode::kUnsupported);
    CHECK(dequantize_op.run(kernels::create_dequantize).code() == StatusCode::kUnsupported);
  }
}

template <typename T>
void check_normalize(int32_t channels, Tensor& table, Tensor& y, int32_t height, int32_t width) {
  Tensor x(plan::DType::kUInt8, {2, height, width, channels});
  randomize(x, 5);
  OneOp op(plan::OpCode::kNormalizeImage, {&x, &table.constant()}, {&y});
  std::vector<T> expected;
  for (size_t i = 0; i < static_cast<size_t>(x.info.elements); ++i) {
    const size_t channel = i % static_cast<size_t>(channels);
    expected.push_back(table.data<T>()[256 * channel + x.bytes[i]]);
  }
  check_everywhere(op, kernels::create_normalize_image, expected);
}

TEST_CASE("normalize image") {
  for (const int32_t channels : {1, 3, 4}) {
    for (const int32_t width : {1, 5, 224}) {
      Tensor table = int8_tensor({channels, 256}), y = int8_tensor({2, 9, width, channels});
      randomize(table, 6);
      check_normalize<int8_t>(channels, table, y, 9, width);
      Tensor floats = float_tensor({channels, 256}), y_float = float_tensor({2, 9, width, channels});
      for (int32_t i = 0; i < 256 * channels; ++i) floats.data<float>()[i] = 0.37f * static_cast<float>(i);
      check_normalize<float>(channels, floats, y_float, 9, width);
    }
  }
}

}  // namespace
}  // namespace bantam::test
