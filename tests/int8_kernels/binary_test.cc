#include "int8/int8_kernels.h"
#include "one_op.h"
#include "reference.h"

namespace bantam::test {
namespace {

using plan::BinaryKind;

struct Shapes {
  std::vector<int32_t> a, b, y;
};

// Index of the element of `tensor` that broadcasting puts at element `i` of `y`.
size_t broadcast_index(const Tensor& tensor, const Tensor& y, size_t i) {
  size_t index = 0, stride = 1;
  for (int32_t axis = 0; axis < tensor.info.rank; ++axis) {
    const auto dim = static_cast<size_t>(tensor.info.dims[tensor.info.rank - 1 - axis]);
    const auto y_dim = static_cast<size_t>(y.info.dims[y.info.rank - 1 - axis]);
    index += (dim == 1 ? 0 : i % y_dim) * stride;
    i /= y_dim;
    stride *= dim;
  }
  return index;
}

const std::vector<Shapes> kShapes = {
    {{1}, {1}, {1}},
    {{70000}, {70000}, {70000}},
    {{3, 7, 5, 67}, {3, 7, 5, 67}, {3, 7, 5, 67}},
    {{2, 9, 9, 16}, {2, 1, 1, 16}, {2, 9, 9, 16}},
    {{2, 1, 1, 24}, {2, 9, 9, 24}, {2, 9, 9, 24}},
    {{1, 28, 28, 96}, {96}, {1, 28, 28, 96}},
    {{1, 4, 4, 2000}, {1, 1, 1, 2000}, {1, 4, 4, 2000}},
    {{2, 3, 40}, {1}, {2, 3, 40}},
    {{2, 3, 1}, {2, 1, 40}, {2, 3, 40}},
    {{4, 1, 5}, {1, 6, 1}, {4, 6, 5}},
    {{2, 5, 5, 3}, {1, 5, 1, 3}, {2, 5, 5, 3}},
};

Tensor filled(const std::vector<int32_t>& dims, float scale, int32_t zero_point, uint32_t seed) {
  Tensor tensor = int8_tensor(dims, scale, zero_point);
  randomize(tensor, seed);
  return tensor;
}

template <typename F>
void check_binary(BinaryKind kind, Tensor& a, Tensor& b, Tensor& y, plan::Clamp clamp, const F& reference,
                  plan::SumRounding rounding = plan::SumRounding::kFast) {
  OneOp op(plan::OpCode::kBinary, {&a, &b}, {&y});
  plan::BinaryT attributes;
  attributes.kind = kind;
  attributes.clamp = std::make_unique<plan::Clamp>(clamp);
  attributes.rounding = rounding;
  op.op.attributes.Set(std::move(attributes));
  std::vector<int8_t> expected;
  for (size_t i = 0; i < static_cast<size_t>(y.info.elements); ++i) {
    const int8_t va = a.data<int8_t>()[broadcast_index(a, y, i)],
                 vb = b.data<int8_t>()[broadcast_index(b, y, i)];
    expected.push_back(std::clamp<int8_t>(reference(va, vb), clamp.q_min(), clamp.q_max()));
  }
  check_everywhere(op, kernels::create_int8_binary, expected);
}

TEST_CASE("int8 multiply") {
  for (const Shapes& shapes : kShapes) {
    Tensor a = filled(shapes.a, 0.043f, -13, 1), b = filled(shapes.b, 0.0039f, -128, 2);
    for (const float y_scale : {0.021f, 0.00031f, 17.0f}) {
      Tensor y = int8_tensor(shapes.y, y_scale, 5);
      const float scale = a.scales[0] * b.scales[0] / y_scale;
      check_binary(BinaryKind::kMul, a, b, y, plan::Clamp(0, 0, -128, 127),
                   [&](int8_t va, int8_t vb) { return requantize((va + 13) * (vb + 128), scale, 5); });
    }
  }
}

TEST_CASE("int8 multiply with every pair of values, clamped") {
  Tensor a = int8_tensor({256, 1}, 1.0f, 3), b = int8_tensor({1, 256}, 1.0f, -7),
         y = int8_tensor({256, 256}, 128.0f, 1);
  for (int i = 0; i < 256; ++i) a.data<int8_t>()[i] = b.data<int8_t>()[i] = static_cast<int8_t>(i - 128);
  check_binary(BinaryKind::kMul, a, b, y, plan::Clamp(0, 0, -100, 90),
               [&](int8_t va, int8_t vb) { return requantize((va - 3) * (vb + 7), 1.0f / 128.0f, 1); });
}

TEST_CASE("int8 multiply with a scale beyond all bounds saturates") {
  Tensor a = filled({300}, 1e17f, 3, 1), b = filled({300}, 1.0f, -7, 2), y = int8_tensor({300}, 1e-17f, 0);
  check_binary(BinaryKind::kMul, a, b, y, plan::Clamp(0, 0, -128, 127),
               [&](int8_t va, int8_t vb) { return saturate(double(va - 3) * double(vb + 7) * 1e34); });
}

// As binary.cc defines it: 15-bit multipliers of the real ratios, one rounding half up.
int8_t reference_sum(int32_t a, int32_t b, float a_ratio, float b_ratio, int32_t a_zero, int32_t b_zero,
                     int32_t y_zero) {
  int shift = 6;
  while (std::ldexp(std::max(a_ratio, b_ratio), shift) < 16383.5) ++shift;
  const auto multiplier = [&](float ratio) {
    return std::min(static_cast<int64_t>(std::nearbyint(std::ldexp(ratio, shift))), int64_t{32767});
  };
  const int64_t sum = (a - a_zero) * multiplier(a_ratio) +
                      (b - b_zero) * multiplier(std::abs(b_ratio)) * (b_ratio < 0 ? -1 : 1);
  return saturate(std::floor(std::ldexp(double(sum), -shift) + 0.5) + y_zero);
}

TEST_CASE("int8 add and subtract") {
  for (const Shapes& shapes : kShapes) {
    Tensor a = filled(shapes.a, 0.043f, -13, 1), b = filled(shapes.b, 0.0091f, 77, 2);
    for (const float y_scale : {0.051f, 0.0007f, 1.0f}) {
      Tensor y = int8_tensor(shapes.y, y_scale, 5);
      const float ra = a.scales[0] / y_scale, rb = b.scales[0] / y_scale;
      int worst = 0;
      check_binary(BinaryKind::kAdd, a, b, y, plan::Clamp(0, 0, -128, 127), [&](int8_t va, int8_t vb) {
        const int8_t sum = reference_sum(va, vb, ra, rb, -13, 77, 5);
        const double exact = (va + 13) * double(ra) + (vb - 77) * double(rb);
        worst = std::max(worst, std::abs(sum - saturate(std::nearbyint(exact) + 5)));
        return sum;
      });
      CHECK(worst <= 1);
      check_binary(BinaryKind::kSub, a, b, y, plan::Clamp(0, 0, -20, 90),
                   [&](int8_t va, int8_t vb) { return reference_sum(va, vb, ra, -rb, -13, 77, 5); });
    }
  }
}

// The sum that binary.cc states for SumRounding::kOnnx...; its operands may be exchanged.
struct OnnxSum {
  double a_zero, b_zero, y_zero;
  float a_ratio, b_ratio;
  double offset;  // of the model's integers: 128 for uint8

  int8_t operator()(int8_t a, int8_t b, bool exchanged) const {
    const auto scaled = [](float ratio, double q) { return static_cast<float>(ratio * q); };
    const float zeros = scaled(a_ratio, a_zero + offset) + scaled(b_ratio, b_zero + offset);
    const float fixed = static_cast<float>(y_zero + offset) - zeros;
    const float x = static_cast<float>(a + offset), y = static_cast<float>(b + offset);
    const float sum = exchanged ? std::fma(y, b_ratio, std::fma(x, a_ratio, fixed))
                                : std::fma(x, a_ratio, std::fma(y, b_ratio, fixed));
    return saturate(std::nearbyint(double{sum}) - offset);
  }
};

TEST_CASE("int8 add and subtract as ONNX Runtime rounds") {
  for (const Shapes& shapes : kShapes) {
    Tensor a = filled(shapes.a, 0.043f, -13, 1), b = filled(shapes.b, 0.0091f, 77, 2);
    const bool exchanged = shapes.a.back() == 1 && shapes.y.back() > 1;
    for (const float y_scale : {0.051f, 0.0007f, 1.0f, 30.0f}) {
      for (const auto rounding : {plan::SumRounding::kOnnxInt8, plan::SumRounding::kOnnxUInt8}) {
        Tensor y = int8_tensor(shapes.y, y_scale, 5);
        OnnxSum sum{-13,
                    77,
                    5,
                    a.scales[0] / y_scale,
                    b.scales[0] / y_scale,
                    rounding == plan::SumRounding::kOnnxUInt8 ? 128.0 : 0.0};
        check_binary(
            BinaryKind::kAdd, a, b, y, plan::Clamp(0, 0, -128, 127),
            [&](int8_t va, int8_t vb) { return sum(va, vb, exchanged); }, rounding);
        sum.b_ratio = -sum.b_ratio;
        check_binary(
            BinaryKind::kSub, a, b, y, plan::Clamp(0, 0, -20, 90),
            [&](int8_t va, int8_t vb) { return sum(va, vb, exchanged); }, rounding);
      }
    }
  }
}

TEST_CASE("int8 sums with every pair of values, near and at ties") {
  Tensor a = int8_tensor({256, 1}, 0.79328f, 3), b = int8_tensor({1, 256}, 0.8921f, -7);
  for (int i = 0; i < 256; ++i) a.data<int8_t>()[i] = b.data<int8_t>()[i] = static_cast<int8_t>(i - 128);
  for (const float ratio : {0.5f, 0.79328f, 255.9f, 0.000245f}) {
    a.scales[0] = ratio;
    b.scales[0] = ratio == 0.5f ? 0.25f : 0.8921f;
    Tensor y = int8_tensor({256, 256}, 1.0f, 1);
    const OnnxSum sum{3, -7, 1, a.scales[0], b.scales[0], 128};
    check_binary(
        BinaryKind::kAdd, a, b, y, plan::Clamp(0, 0, -128, 127),
        [&](int8_t va, int8_t vb) { return sum(va, vb, true); }, plan::SumRounding::kOnnxUInt8);
  }
}

TEST_CASE("int8 sums of scales that are too far apart are refused") {
  for (const float scale : {256.0f, 0.0002f}) {
    Tensor a = filled({8}, scale, 4, 3), b = filled({8}, 1.0f, 4, 4), y = int8_tensor({8}, 1.0f, 4);
    OneOp op(plan::OpCode::kBinary, {&a, &b}, {&y});
    plan::BinaryT attributes;
    attributes.rounding = plan::SumRounding::kOnnxInt8;
    op.op.attributes.Set(std::move(attributes));
    CHECK(op.run(kernels::create_int8_binary).code() == StatusCode::kUnsupported);
  }
}

TEST_CASE("int8 min and max") {
  for (const Shapes& shapes : kShapes) {
    Tensor a = filled(shapes.a, 0.1f, 4, 3), b = filled(shapes.b, 0.1f, 4, 4),
           y = int8_tensor(shapes.y, 0.1f, 4);
    check_binary(BinaryKind::kMin, a, b, y, plan::Clamp(0, 0, -50, 60),
                 [](int8_t va, int8_t vb) { return std::min(va, vb); });
    check_binary(BinaryKind::kMax, a, b, y, plan::Clamp(0, 0, -128, 127),
                 [](int8_t va, int8_t vb) { return std::max(va, vb); });
  }
  Tensor a = filled({8}, 0.1f, 4, 3), b = filled({8}, 0.2f, 4, 4), y = int8_tensor({8}, 0.1f, 4);
  OneOp op(plan::OpCode::kBinary, {&a, &b}, {&y});
  plan::BinaryT attributes;
  attributes.kind = BinaryKind::kMin;
  op.op.attributes.Set(std::move(attributes));
  CHECK(op.run(kernels::create_int8_binary).code() == StatusCode::kUnsupported);
}

}  // namespace
}  // namespace bantam::test
