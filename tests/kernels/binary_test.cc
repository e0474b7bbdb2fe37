#include <algorithm>
#include <cmath>

#include "support.h"

namespace bantam::test {
namespace {

using plan::BinaryKind;
using plan::DType;

struct Shapes {
  Dims a, b, y;
};

const Shapes kShapes[] = {{{2, 3, 5, 7}, {2, 3, 5, 7}, {2, 3, 5, 7}},
                          {{2, 6, 5, 19}, {2, 1, 1, 19}, {2, 6, 5, 19}},
                          {{1, 4, 4, 33}, {33}, {1, 4, 4, 33}},
                          {{5, 9}, {}, {5, 9}},
                          {{}, {5, 9}, {5, 9}},
                          {{}, {}, {}},
                          {{4, 1}, {1, 6}, {4, 6}},
                          {{3, 1, 5, 1}, {2, 1, 4}, {3, 2, 5, 4}},
                          {{2, 1, 2, 1, 2, 1, 2, 1}, {1, 3, 1, 2, 1, 2, 1, 3}, {2, 3, 2, 2, 2, 2, 2, 3}},
                          {{20000}, {20000}, {20000}}};

double arithmetic(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
    case BinaryKind::kMin:
      return std::min(a, b);
    case BinaryKind::kMax:
      return std::max(a, b);
    case BinaryKind::kPow:
      return std::pow(a, b);
    case BinaryKind::kPRelu:
      return a < 0 ? a * b : a;
    case BinaryKind::kMod:
      return a - b * std::floor(a / b);
    case BinaryKind::kFmod:
      return std::fmod(a, b);
    case BinaryKind::kEqual:
      return a == b;
    case BinaryKind::kLess:
      return a < b;
    case BinaryKind::kLessOrEqual:
      return a <= b;
    case BinaryKind::kGreater:
      return a > b;
    case BinaryKind::kGreaterOrEqual:
      return a >= b;
    case BinaryKind::kAnd:
      return a != 0 && b != 0;
    case BinaryKind::kOr:
      return a != 0 || b != 0;
    default:
      return (a != 0) != (b != 0);
  }
}

bool is_comparison(BinaryKind kind) { return kind >= BinaryKind::kEqual && kind <= BinaryKind::kXor; }

void check_binary(const Shapes& s, BinaryKind kind, DType dtype, double low, double high, int32_t gap = 0) {
  CAPTURE(plan::EnumNameBinaryKind(kind), plan::EnumNameDType(dtype), s.a, s.b, gap);
  const auto stride = [&](const Dims& dims) { return dims.size() > 1 ? dims.back() + gap : 0; };
  Tensor a(dtype, s.a, {}, 0, stride(s.a)), b(dtype, s.b, {}, 0, stride(s.b));
  Tensor y(is_comparison(kind) ? DType::kBool : dtype, s.y, {}, 0, stride(s.y));
  fill_uniform(a, 1, low, high);
  fill_uniform(b, 2, kind == BinaryKind::kPow || kind == BinaryKind::kMod ? 1 : low, high);
  plan::BinaryT attributes;
  attributes.kind = kind;
  OneOp op = make_op(plan::OpCode::kBinary, {&a, &b}, y, attributes);
  const auto values_a = doubles(a), values_b = doubles(b);
  std::vector<double> expected(static_cast<size_t>(y.info.elements));
  for_each_index(s.y, [&](const Index& i, size_t at) {
    expected[at] = arithmetic(kind, broadcast_at(values_a, s.a, i), broadcast_at(values_b, s.b, i));
  });
  check_op(op, expected, {1e-6, 1e-5});
}

TEST_CASE("Binary float32") {
  for (const Shapes& s : kShapes) {
    for (const BinaryKind kind :
         {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv, BinaryKind::kMin,
          BinaryKind::kMax, BinaryKind::kPRelu, BinaryKind::kFmod}) {
      check_binary(s, kind, DType::kFloat32, -4, 4);
      if (s.y.size() > 1) check_binary(s, kind, DType::kFloat32, -4, 4, 3);
    }
    check_binary(s, BinaryKind::kPow, DType::kFloat32, 0.1, 3);
  }
}

TEST_CASE("Binary on integers and comparisons") {
  for (const Shapes& s : kShapes) {
    for (const DType dtype : {DType::kInt64, DType::kInt32, DType::kUInt8}) {
      for (const BinaryKind kind :
           {BinaryKind::kAdd, BinaryKind::kMin, BinaryKind::kMax, BinaryKind::kEqual}) {
        check_binary(s, kind, dtype, 0, 10);
      }
      for (const BinaryKind kind : {BinaryKind::kMod, BinaryKind::kPow}) check_binary(s, kind, dtype, 1, 3);
    }
    for (const BinaryKind kind : {BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kMod}) {
      check_binary(s, kind, DType::kInt64, -50, 50);
    }
    for (const BinaryKind kind : {BinaryKind::kLess, BinaryKind::kLessOrEqual, BinaryKind::kGreater,
                                  BinaryKind::kGreaterOrEqual, BinaryKind::kEqual}) {
      check_binary(s, kind, DType::kFloat32, -3, 3);
      check_binary(s, kind, DType::kInt32, -3, 3);
    }
    for (const BinaryKind kind : {BinaryKind::kAnd, BinaryKind::kOr, BinaryKind::kXor}) {
      check_binary(s, kind, DType::kBool, 0, 2);
    }
  }
}

TEST_CASE("Integer division cuts towards zero and survives what has no answer") {
  Tensor a(DType::kInt64, {6}), b(DType::kInt64, {6}), y(DType::kInt64, {6});
  set(a, {-7, 7, 5, 0, -9, 9});
  set(b, {2, -2, 0, 3, -1, 4});
  a.data<int64_t>()[4] = std::numeric_limits<int64_t>::min();
  plan::BinaryT attributes;
  attributes.kind = BinaryKind::kDiv;
  OneOp op = make_op(plan::OpCode::kBinary, {&a, &b}, y, attributes);
  check_op(op, {-3, -3, 0, 0, static_cast<double>(std::numeric_limits<int64_t>::min()), 2});
}

TEST_CASE("Binary with a fused clamp, and in place") {
  Tensor a = floats({3, 40}), b = floats({40}), y = floats({3, 40});
  fill_uniform(a, 1);
  fill_uniform(b, 2);
  plan::BinaryT attributes;
  attributes.kind = BinaryKind::kAdd;
  attributes.clamp = std::make_unique<plan::Clamp>(0.0f, 0.5f, int8_t{0}, int8_t{0});
  OneOp op = make_op(plan::OpCode::kBinary, {&a, &b}, y, std::move(attributes));
  const auto values_a = doubles(a), values_b = doubles(b);
  std::vector<double> expected(120);
  for (size_t i = 0; i < 120; ++i) expected[i] = std::clamp(values_a[i] + values_b[i % 40], 0.0, 0.5);
  check_op(op, expected);

  std::unique_ptr<Kernel> kernel;
  REQUIRE(op.create(kernels::kernel_table().create, kernel).ok());
  const void* inputs[] = {a.bytes.data(), b.bytes.data()};
  void* outputs[] = {a.bytes.data()};
  RunContext context;
  context.inputs = inputs;
  context.outputs = outputs;
  REQUIRE(kernel->run(context).ok());
  for (size_t i = 0; i < 120; ++i) CHECK(std::abs(a.data<float>()[i] - expected[i]) < 1e-6);
}

TEST_CASE("Where") {
  const std::tuple<Dims, Dims, Dims, Dims> cases[] = {
      {{4, 5}, {4, 5}, {4, 5}, {4, 5}}, {{4, 1}, {5}, {}, {4, 5}}, {{}, {2, 1, 3}, {1, 4, 1}, {2, 4, 3}}};
  for (const auto& [condition, first, second, out] : cases) {
    for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kUInt8, DType::kFloat16}) {
      Tensor c(DType::kBool, condition), a(dtype, first), b(dtype, second), y(dtype, out);
      fill_uniform(c, 1, 0, 2);
      fill_uniform(a, 2, 0, 100);
      fill_uniform(b, 3, 0, 100);
      OneOp op(plan::OpCode::kWhere, {&c, &a, &b}, {&y});
      const auto values_c = doubles(c), values_a = doubles(a), values_b = doubles(b);
      std::vector<double> expected(static_cast<size_t>(y.info.elements));
      for_each_index(out, [&](const Index& i, size_t at) {
        expected[at] = broadcast_at(values_c, condition, i) != 0 ? broadcast_at(values_a, first, i)
                                                                 : broadcast_at(values_b, second, i);
      });
      check_op(op, expected, {0, 0});
    }
  }
}

}  // namespace
}  // namespace bantam::test
