// Fully connected layers of floats with weights of 8 and 4 bits.
#include <algorithm>
#include <cmath>

#include "support.h"

namespace bantam::test {
namespace {

struct Case {
  int32_t rows, inputs, outputs;
  bool bias, clamp;
};

const Case kCases[] = {{1, 640, 128, true, false}, {5, 6, 9, true, true},      {3, 64, 1, false, false},
                       {9, 62, 33, true, true},    {17, 130, 70, false, true}, {2, 7, 5, true, false}};

// Weights as numbers, and as the plan stores them.
struct Weights {
  std::vector<int> numbers;
  Tensor stored;
};

Weights weights(const Case& c, int bits) {
  std::vector<float> scales(static_cast<size_t>(c.outputs));
  for (size_t i = 0; i < scales.size(); ++i) scales[i] = 0.01f * static_cast<float>(i % 5 + 1);
  Tensor bytes(plan::DType::kInt8, {c.outputs, bits == 4 ? c.inputs / 2 : c.inputs}, scales);
  fill_uniform(bytes, 2, bits == 4 ? -128 : -127, 128);
  Weights result{{}, bytes.constant()};
  for (const double byte : doubles(result.stored)) {
    const int value = static_cast<int>(byte);
    if (bits == 8) {
      result.numbers.push_back(value);
    } else {
      result.numbers.push_back((value & 15) - 8);
      result.numbers.push_back(((value >> 4) & 15) - 8);
    }
  }
  return result;
}

// x as the layer reads it: rounded to 255 steps of the range of its row, which holds 0, or not at all.
std::vector<double> as_read(const Tensor& x, const Case& c, bool quantize_rows) {
  std::vector<double> values = doubles(x);
  for (int32_t row = 0; quantize_rows && row < c.rows; ++row) {
    double* first = values.data() + static_cast<size_t>(row) * static_cast<size_t>(c.inputs);
    const auto [low, high] = std::minmax_element(first, first + c.inputs);
    const double step = (std::max(*high, 0.0) - std::min(*low, 0.0)) / 255;
    for (int32_t i = 0; i < c.inputs; ++i) first[i] = std::nearbyint(first[i] / step) * step;
  }
  return values;
}

plan::NarrowFullyConnectedT attributes(int bits, bool quantize_rows, bool clamp) {
  plan::NarrowFullyConnectedT result;
  result.bits = static_cast<uint8_t>(bits);
  result.quantize_rows = quantize_rows;
  if (clamp) result.clamp = std::make_unique<plan::Clamp>(-2.0f, 3.0f, int8_t{-128}, int8_t{127});
  return result;
}

void check_layer(const Case& c, int bits, bool quantize_rows, int32_t more_stride) {
  Weights w = weights(c, bits);
  Tensor x = floats({c.rows, c.inputs}, c.inputs + more_stride);
  Tensor y = floats({c.rows, c.outputs}, c.outputs + more_stride), b = floats({c.outputs});
  std::vector<double> numbers(static_cast<size_t>(c.rows * c.inputs));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = std::sin(0.7 * static_cast<double>(i + 1)) + 0.3;
  set(x, numbers);
  fill_uniform(b, 3);
  b.is_constant = true;
  std::vector<Tensor*> inputs = {&x, &w.stored};
  if (c.bias) inputs.push_back(&b);
  OneOp op =
      make_op(plan::OpCode::kNarrowFullyConnected, inputs, y, attributes(bits, quantize_rows, c.clamp));
  const std::vector<double> values = as_read(x, c, quantize_rows);
  std::vector<double> expected;
  for_each_index({c.rows, c.outputs}, [&](const Index& i, size_t) {
    double sum = c.bias ? doubles(b)[static_cast<size_t>(i[1])] : 0;
    for (int32_t k = 0; k < c.inputs; ++k) {
      sum += values[static_cast<size_t>(i[0] * c.inputs + k)] * w.stored.scales[static_cast<size_t>(i[1])] *
             w.numbers[static_cast<size_t>(i[1] * c.inputs + k)];
    }
    expected.push_back(c.clamp ? std::clamp(sum, -2.0, 3.0) : sum);
  });
  // A number half-way between two steps may go to either: a step of 2.6 / 255 times the largest weight.
  const double step = 2.6 / 255 * 0.05 * (bits == 4 ? 8 : 127);
  check_op(op, expected, {1e-5, quantize_rows ? step : 1e-4});
}

TEST_CASE("float layers with narrow weights") {
  for (const Case& c : kCases) {
    for (const int bits : {8, 4}) {
      if (bits == 4 && c.inputs % 2 != 0) continue;
      for (const bool quantize_rows : {false, true}) {
        for (const int32_t more_stride : {0, 3}) {
          CAPTURE(c.rows, c.inputs, c.outputs, bits, quantize_rows, more_stride);
          check_layer(c, bits, quantize_rows, more_stride);
        }
      }
    }
  }
}

TEST_CASE("rows of zeros and of nearly nothing give the bias") {
  for (const int bits : {8, 4}) {
    Weights w = weights({3, 16, 3, true, false}, bits);
    Tensor x = floats({3, 16}), y = floats({3, 3}), b = floats({3});
    set(b, {1, -2, 3});
    std::vector<double> rows(48, 0.0);
    for (size_t i = 16; i < 32; ++i) rows[i] = i % 2 == 0 ? 1e-38 : -1e-41;
    set(x, rows);
    b.is_constant = true;
    CAPTURE(bits);
    OneOp op =
        make_op(plan::OpCode::kNarrowFullyConnected, {&x, &w.stored, &b}, y, attributes(bits, true, false));
    check_op(op, {1, -2, 3, 1, -2, 3, 1, -2, 3});
  }
}

TEST_CASE("each row has a range of its own") {
  Weights w = weights({2, 16, 3, false, false}, 8);
  Tensor x = floats({2, 16}), y = floats({2, 3});
  std::vector<double> rows;
  for (int i = 0; i < 16; ++i) rows.push_back(1000.0 * (i - 5));
  for (int i = 0; i < 16; ++i) rows.push_back(0.001 * (i - 5));
  set(x, rows);
  std::vector<double> expected;
  for (size_t row = 0; row < 2; ++row) {
    for (size_t o = 0; o < 3; ++o) {
      double sum = 0;
      for (size_t k = 0; k < 16; ++k) sum += rows[row * 16 + k] * w.stored.scales[o] * w.numbers[o * 16 + k];
      expected.push_back(sum);
    }
  }
  OneOp op = make_op(plan::OpCode::kNarrowFullyConnected, {&x, &w.stored}, y, attributes(8, true, false));
  check_op(op, expected, {0.01, 1e-4});
}

}  // namespace
}  // namespace bantam::test
