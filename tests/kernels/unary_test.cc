#include <cmath>
#include <limits>

#include "support.h"

namespace bantam::test {
namespace {

using plan::DType;
using plan::UnaryKind;

struct UnaryCase {
  UnaryKind kind;
  double low, high;
  float alpha, beta;
  double (*function)(double x, double alpha, double beta);
  double absolute = 1e-7;  // besides 1e-5 relative
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

const UnaryCase kCases[] = {
    {UnaryKind::kClamp, -9, 9, -1.5f, 6,
     [](double x, double a, double b) { return std::min(std::max(x, a), b); }},
    {UnaryKind::kLeakyRelu, -9, 9, 0.1f, 0, [](double x, double a, double) { return x < 0 ? a * x : x; }},
    {UnaryKind::kElu, -20, 9, 1.3f, 0,
     [](double x, double a, double) { return x < 0 ? a * std::expm1(x) : x; }},
    {UnaryKind::kSelu, -20, 9, 1.67326f, 1.0507f,
     [](double x, double a, double b) { return b * (x < 0 ? a * std::expm1(x) : x); }},
    {UnaryKind::kCelu, -20, 9, 2, 0,
     [](double x, double a, double) { return x < 0 ? a * std::expm1(x / a) : x; }},
    {UnaryKind::kSigmoid, -80, 80, 0, 0, [](double x, double, double) { return sigmoid(x); }, 0},
    {UnaryKind::kHardSigmoid, -9, 9, 0.2f, 0.5f,
     [](double x, double a, double b) { return std::min(1.0, std::max(0.0, a * x + b)); }},
    {UnaryKind::kHardSwish, -9, 9, 0, 0,
     [](double x, double, double) { return x * std::min(1.0, std::max(0.0, x / 6 + 0.5)); }, 1e-6},
    {UnaryKind::kTanh, -9, 9, 0, 0, [](double x, double, double) { return std::tanh(x); }, 0},
    {UnaryKind::kSoftplus, -80, 80, 0, 0, [](double x, double, double) { return softplus(x); }, 0},
    {UnaryKind::kGelu, -9, 9, 0, 0,
     [](double x, double, double) { return 0.5 * x * (1 + std::erf(x * std::sqrt(0.5))); }, 2e-6},
    {UnaryKind::kGeluTanh, -9, 9, 0, 0,
     [](double x, double, double) {
       return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (x + 0.044715 * x * x * x)));
     },
     2e-6},
    {UnaryKind::kErf, -5, 5, 0, 0, [](double x, double, double) { return std::erf(x); }, 0},
    {UnaryKind::kExp, -80, 88, 0, 0, [](double x, double, double) { return std::exp(x); }, 0},
    {UnaryKind::kLog, 1e-3, 1e4, 0, 0, [](double x, double, double) { return std::log(x); }, 1e-6},
    {UnaryKind::kSqrt, 0, 1e4, 0, 0, [](double x, double, double) { return std::sqrt(x); }},
    {UnaryKind::kReciprocal, 0.1, 9, 0, 0, [](double x, double, double) { return 1 / x; }},
    {UnaryKind::kNeg, -9, 9, 0, 0, [](double x, double, double) { return -x; }},
    {UnaryKind::kAbs, -9, 9, 0, 0, [](double x, double, double) { return std::abs(x); }},
    {UnaryKind::kFloor, -9, 9, 0, 0, [](double x, double, double) { return std::floor(x); }},
    {UnaryKind::kCeil, -9, 9, 0, 0, [](double x, double, double) { return std::ceil(x); }},
    {UnaryKind::kRound, -9, 9, 0, 0, [](double x, double, double) { return std::nearbyint(x); }},
    {UnaryKind::kSilu, -80, 80, 0, 0, [](double x, double, double) { return x * sigmoid(x); }, 0},
    {UnaryKind::kRsqrt, 0.1, 9, 0, 0, [](double x, double, double) { return 1 / std::sqrt(x); }},
    {UnaryKind::kSign, -2, 2, 0, 0,
     [](double x, double, double) { return x > 0   ? 1.0
                                           : x < 0 ? -1.0
                                                   : 0.0; }},
    {UnaryKind::kSquare, -9, 9, 0, 0, [](double x, double, double) { return x * x; }},
    {UnaryKind::kThresholdedRelu, -9, 9, 1.25f, 0, [](double x, double a, double) { return x > a ? x : 0; }},
    {UnaryKind::kMish, -20, 20, 0, 0, [](double x, double, double) { return x * std::tanh(softplus(x)); },
     1e-6},
    {UnaryKind::kSoftsign, -9, 9, 0, 0, [](double x, double, double) { return x / (1 + std::abs(x)); }},
    {UnaryKind::kSin, -9, 9, 0, 0, [](double x, double, double) { return std::sin(x); }},
    {UnaryKind::kCos, -9, 9, 0, 0, [](double x, double, double) { return std::cos(x); }}};

plan::UnaryT attributes_of(UnaryKind kind, float alpha, float beta) {
  plan::UnaryT attributes;
  attributes.kind = kind;
  attributes.alpha = alpha;
  attributes.beta = beta;
  return attributes;
}

TEST_CASE("Unary float32") {
  for (const UnaryCase& c : kCases) {
    CAPTURE(plan::EnumNameUnaryKind(c.kind));
    for (const auto& [dims, gap] : {std::pair<Dims, int32_t>{{20011}, 0}, {{3, 5, 21}, 4}, {{}, 0}}) {
      const int32_t stride = gap == 0 ? 0 : dims.back() + gap;
      Tensor x = floats(dims, stride), y = floats(dims, stride);
      fill_uniform(x, 1, c.low, c.high);
      if (c.kind == UnaryKind::kRound || c.kind == UnaryKind::kSign) {  // ties and zeros
        std::vector<double> values = doubles(x);
        for (size_t i = 0; i < values.size(); i += 2) values[i] = std::floor(values[i] * 2) / 2;
        set(x, values);
      }
      OneOp op = make_op(plan::OpCode::kUnary, {&x}, y, attributes_of(c.kind, c.alpha, c.beta));
      std::vector<double> expected = doubles(x);
      for (double& value : expected) value = c.function(value, c.alpha, c.beta);
      check_op(op, expected, {1e-5, c.absolute});
    }
  }
}

TEST_CASE("Unary float32 at the edges") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto check = [&](UnaryKind kind, double x, double y) {
    CAPTURE(plan::EnumNameUnaryKind(kind), x);
    Tensor in = floats({1}), out = floats({1});
    set(in, {x});
    OneOp op = make_op(plan::OpCode::kUnary, {&in}, out, attributes_of(kind, -kInfinity, kInfinity));
    check_op(op, {y});
  };
  check(UnaryKind::kExp, 200, kInfinity);
  check(UnaryKind::kExp, -200, 0);
  check(UnaryKind::kExp, kInfinity, kInfinity);
  check(UnaryKind::kExp, -kInfinity, 0);
  check(UnaryKind::kExp, nan, nan);
  check(UnaryKind::kLog, 0, -kInfinity);
  check(UnaryKind::kLog, -1, nan);
  check(UnaryKind::kLog, kInfinity, kInfinity);
  check(UnaryKind::kSigmoid, 1000, 1);
  check(UnaryKind::kSigmoid, -1000, 0);
  check(UnaryKind::kSilu, 1000, 1000);
  check(UnaryKind::kSilu, -1000, 0);
  check(UnaryKind::kTanh, 1000, 1);
  check(UnaryKind::kTanh, -1000, -1);
  check(UnaryKind::kErf, 1000, 1);
  check(UnaryKind::kSoftplus, 1000, 1000);
  for (const UnaryKind kind : {UnaryKind::kClamp, UnaryKind::kSigmoid, UnaryKind::kSilu, UnaryKind::kErf,
                               UnaryKind::kHardSigmoid, UnaryKind::kHardSwish}) {
    check(kind, nan, nan);
  }
  check(UnaryKind::kReciprocal, 0, kInfinity);
}

TEST_CASE("Unary on other types") {
  const auto check = [](DType in, DType out, UnaryKind kind, const std::vector<double>& x,
                        const std::vector<double>& y, float alpha = 0, float beta = 0,
                        std::vector<float> scales = {}) {
    CAPTURE(plan::EnumNameUnaryKind(kind), plan::EnumNameDType(in));
    Tensor from(in, {static_cast<int32_t>(x.size())}, scales, scales.empty() ? 0 : -10);
    Tensor to(out, {static_cast<int32_t>(y.size())}, scales, scales.empty() ? 0 : -10);
    set(from, x);
    OneOp op = make_op(plan::OpCode::kUnary, {&from}, to, attributes_of(kind, alpha, beta));
    check_op(op, y);
  };
  check(DType::kInt64, DType::kInt64, UnaryKind::kNeg, {-3, 0, 5}, {3, 0, -5});
  check(DType::kInt32, DType::kInt32, UnaryKind::kAbs, {-3, 0, 5}, {3, 0, 5});
  check(DType::kInt64, DType::kInt64, UnaryKind::kSign, {-3, 0, 5}, {-1, 0, 1});
  check(DType::kInt64, DType::kInt64, UnaryKind::kClamp, {-3, 0, 5}, {-2, 0, 4}, -2, 4);
  check(DType::kInt32, DType::kInt32, UnaryKind::kClamp, {-3, 0, 5}, {-3, 0, 4}, -INFINITY, 4);
  check(DType::kBool, DType::kBool, UnaryKind::kNot, {1, 0, 1}, {0, 1, 0});
  check(DType::kFloat32, DType::kBool, UnaryKind::kIsNaN, {1, NAN, -2}, {0, 1, 0});
  // Scale 0.5, zero point -10: the clamp to [0, 6] is one to [-10, 2].
  check(DType::kInt8, DType::kInt8, UnaryKind::kClamp, {-128, -10, 0, 2, 127}, {-10, -10, 0, 2, 2}, 0, 6,
        {0.5f});
  check(DType::kInt8, DType::kInt8, UnaryKind::kClamp, {-128, 0, 127}, {-10, 0, 127}, 0, INFINITY, {0.5f});
}

TEST_CASE("Cast") {
  const auto check = [](DType in, DType out, const std::vector<double>& x, const std::vector<double>& y) {
    CAPTURE(plan::EnumNameDType(in), plan::EnumNameDType(out));
    Tensor from(in, {static_cast<int32_t>(x.size())}), to(out, {static_cast<int32_t>(y.size())});
    set(from, x);
    OneOp op(plan::OpCode::kCast, {&from}, {&to});
    check_op(op, y, {0, 0});
  };
  check(DType::kFloat32, DType::kInt32, {1.9, -1.9, 0.5, -0.5, NAN}, {1, -1, 0, 0, 0});
  check(DType::kFloat32, DType::kUInt8, {300, 2.5, 255}, {44, 2, 255});
  check(DType::kFloat32, DType::kBool, {0, -0.25, 3}, {0, 1, 1});
  check(DType::kFloat32, DType::kFloat16, {1, 0.1, 65504, 70000, 1e-7, 6e-8, -2.5, 1e-9},
        {1, 0.0999755859375, 65504, INFINITY, 1.1920928955078125e-7, 5.9604644775390625e-8, -2.5, 0});
  check(DType::kFloat16, DType::kFloat32, {1.5, -0.25, 5.9604644775390625e-8, 65504},
        {1.5, -0.25, 5.9604644775390625e-8, 65504});
  check(DType::kInt64, DType::kFloat32, {-7, 0, 1 << 24}, {-7, 0, 1 << 24});
  check(DType::kInt64, DType::kInt8, {-7, 130, 255}, {-7, -126, -1});
  check(DType::kBool, DType::kInt64, {0, 1}, {0, 1});
  check(DType::kInt8, DType::kFloat32, {-128, 127}, {-128, 127});
  Tensor huge = floats({2}), to(DType::kInt64, {2});
  set(huge, {1e30, -1e30});
  OneOp op(plan::OpCode::kCast, {&huge}, {&to});
  REQUIRE(op.run(kernels::kernel_table().create).ok());
  CHECK(to.data<int64_t>()[0] == std::numeric_limits<int64_t>::max());
  CHECK(to.data<int64_t>()[1] == std::numeric_limits<int64_t>::min());
}

}  // namespace
}  // namespace bantam::test
