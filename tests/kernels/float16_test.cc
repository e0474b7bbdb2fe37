// Ops on float16 tensors, alone and beside float32 ones, against references in double precision.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "conv_reference.h"
#include "float16.h"
#include "float16/conversion.h"
#include "float16/halves.h"

namespace bantam::test {
namespace {

using plan::DType;
using plan::OpCode;

constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat16};

// Half a unit in the last place of a float16 result, and what float16 sums lose on the way.
constexpr Tolerance kRounded = {6e-4, 1e-6};
constexpr Tolerance kSummed = {6e-3, 2e-2};

// The same of long sums of products of numbers in -1..1: ARM adds in float16, where every addition rounds.
Tolerance summed(const ConvCase& c) {
  const double products = static_cast<double>(c.kh) * c.kw * c.in / c.groups;
  return {kSummed.relative, kSummed.absolute + 3e-4 * products};
}

// Values that both types have.
void fill(Tensor& tensor, uint32_t seed, double low = -1, double high = 1) {
  fill_uniform(tensor, seed, low, high);
  std::vector<double> values = doubles(tensor);
  for (double& value : values)
    value = kernels::half_to_float(kernels::float_to_half(static_cast<float>(value)));
  set(tensor, values);
}

Tensor tensor_of(DType dtype, const Dims& dims, int32_t gap = 0) {
  return Tensor(dtype, dims, {}, 0, gap == 0 ? 0 : dims.back() + gap);
}

TEST_CASE("float16 widens exactly") {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  for_each_target([&] {
    INFO(target_name());
    for (const size_t count : {size_t{1}, size_t{5}, size_t{65531}}) {
      std::vector<float> floats(count + 1, -7);
      kernels::widen_row()(halves.data(), floats.data(), static_cast<int64_t>(count));
      CHECK(floats[count] == -7);
      for (size_t i = 0; i < count; ++i) {
        const float expected = kernels::half_to_float(halves[i]);
        if (std::isnan(expected) ? std::isnan(floats[i]) : floats[i] == expected) continue;
        FAIL("half " << i << " becomes " << floats[i] << ", not " << expected);
      }
    }
  });
}

TEST_CASE("float16 narrows to the nearest, and what is too large to the largest") {
  std::vector<float> floats = {0.0f,          -0.0f,    1.0f,      65504.0f, 65519.0f, 65520.0f, -1e30f,
                               5.9604645e-8f, 2.98e-8f, 2.981e-8f, 6.1e-5f,  1e-40f,   INFINITY, -INFINITY};
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    const float magnitude =
        std::ldexp(static_cast<float>(random() % 8192), static_cast<int>(random() % 40) - 38);
    floats.push_back(random() % 2 == 0 ? magnitude : -magnitude);
  }
  for_each_target([&] {
    INFO(target_name());
    std::vector<uint16_t> halves(floats.size());
    kernels::narrow_row()(floats.data(), halves.data(), static_cast<int64_t>(floats.size()));
    for (size_t i = 0; i < floats.size(); ++i) {
      const float limited = std::isinf(floats[i]) ? floats[i] : std::clamp(floats[i], -65504.0f, 65504.0f);
      if (halves[i] == kernels::float_to_half(limited)) continue;
      FAIL(floats[i] << " becomes " << halves[i] << ", not " << kernels::float_to_half(limited));
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    kernels::narrow_row()(&nan, halves.data(), 1);
    CHECK(std::isnan(kernels::half_to_float(halves[0])));
  });
}

constexpr ConvCase kConvs[] = {{1, 9, 11, 3, 8, 3, 3, 2, 1, 1, 1},    {2, 7, 7, 16, 24, 1, 1, 1, 1, 0, 1},
                               {1, 12, 9, 20, 20, 3, 3, 1, 1, 1, 20}, {1, 12, 9, 33, 33, 5, 5, 2, 1, 2, 33},
                               {1, 9, 9, 12, 18, 3, 3, 1, 1, 0, 3},   {1, 5, 5, 17, 17, 1, 1, 1, 1, 0, 17},
                               {1, 5, 5, 200, 250, 3, 3, 1, 1, 1, 1}, {1, 16, 16, 9, 9, 7, 7, 1, 1, 3, 9}};

// Every combination of types of x and y, told to compute in float16 or not.
template <typename Body>
void for_each_use(const Body& body) {
  for (const DType x : kFloats) {
    for (const DType y : kFloats) {
      for (const bool float16 : {true, false}) {
        CAPTURE(plan::EnumNameDType(x), plan::EnumNameDType(y), float16);
        body(x, y, float16);
      }
    }
  }
}

void check_weighted(
    OpCode code, const ConvCase& c, const Dims& out,
    const std::function<std::vector<double>(const Tensor&, const Tensor&, const Tensor&)>& reference) {
  for_each_use([&](DType x_type, DType y_type, bool float16) {
    for (const DType bias_type : kFloats) {
      Tensor x = tensor_of(x_type, {c.n, c.h, c.w, c.in}, 5), y = tensor_of(y_type, out, 3);
      Tensor w(DType::kFloat16, {c.out, c.kh, c.kw, c.in / c.groups}), bias(bias_type, {c.out});
      fill(x, 1);
      fill(w, 2);
      fill(bias, 3);
      w.constant();
      bias.constant();
      OneOp op = make_op(code, {&x, &w, &bias}, y, conv_attributes(c, -4, 5));
      op.float16 = float16;
      const bool rounds = y_type == DType::kFloat16;
      check_op(op, clamped(reference(x, w, bias), -4, 5),
               float16 ? summed(c) : Tolerance{rounds ? 6e-4 : 1e-5, rounds ? 6e-4 : 1e-4});
    }
  });
}

TEST_CASE("Conv2d in float16") {
  for (const ConvCase& c : kConvs) {
    CAPTURE(c.h, c.w, c.in, c.out, c.kh, c.groups);
    check_weighted(OpCode::kConv2d, c, conv_dims(c),
                   [&](const Tensor& x, const Tensor& w, const Tensor& bias) {
                     return conv(c, doubles(x), doubles(w), doubles(bias));
                   });
  }
}

TEST_CASE("ConvTranspose2d in float16") {
  for (const ConvCase& c :
       {ConvCase{1, 5, 6, 4, 6, 2, 2, 2, 1, 0, 1}, ConvCase{2, 4, 4, 8, 5, 3, 3, 2, 1, 1, 1},
        ConvCase{1, 6, 5, 6, 6, 4, 4, 2, 1, 1, 2}}) {
    CAPTURE(c.h, c.in, c.out, c.kh, c.groups);
    check_weighted(OpCode::kConvTranspose2d, c, transposed_dims(c, 0),
                   [&](const Tensor& x, const Tensor& w, const Tensor& bias) {
                     return conv_transpose(c, 0, doubles(x), doubles(w), doubles(bias));
                   });
  }
}

TEST_CASE("FullyConnected in float16") {
  const ConvCase c = {7, 1, 1, 33, 17, 1, 1, 1, 1, 0, 1};
  for_each_use([&](DType x_type, DType y_type, bool float16) {
    Tensor x = tensor_of(x_type, {7, 33}, 4), y = tensor_of(y_type, {7, 17}, 3);
    Tensor w(DType::kFloat16, {17, 33}), bias(DType::kFloat32, {17});
    fill(x, 1);
    fill(w, 2);
    fill(bias, 3);
    w.constant();
    bias.constant();
    OneOp op = make_op(OpCode::kFullyConnected, {&x, &w, &bias}, y, plan::FullyConnectedT());
    op.float16 = float16;
    check_op(op, conv(c, doubles(x), doubles(w), doubles(bias)), kSummed);
  });
}

TEST_CASE("MatMul in float16") {
  for_each_use([&](DType a_type, DType y_type, bool float16) {
    for (const DType b_type : kFloats) {
      for (const bool constant : {false, true}) {  // the left one
        Tensor a(a_type, {3, 5, 20}), b(b_type, {3, 20, 9}), y(y_type, {3, 5, 9});
        fill(a, 1);
        fill(b, 2);
        a.is_constant = constant;
        OneOp op = make_op(OpCode::kMatMul, {&a, &b}, y, plan::MatMulT());
        op.float16 = float16;
        std::vector<double> expected(3 * 5 * 9);
        const auto values_a = doubles(a), values_b = doubles(b);
        for_each_index({3, 5, 9}, [&](const Index& i, size_t at) {
          for (int32_t k = 0; k < 20; ++k)
            expected[at] +=
                values_a[size_t((i[0] * 5 + i[1]) * 20 + k)] * values_b[size_t((i[0] * 20 + k) * 9 + i[2])];
        });
        check_op(op, expected, kSummed);
      }
    }
  });
}

TEST_CASE("What is too large for float16 becomes the largest number, not infinity") {
  Tensor x(DType::kFloat16, {1, 8}), w(DType::kFloat16, {2, 8}), y(DType::kFloat16, {1, 2});
  fill(x, 1, 10000, 20000);
  fill(w, 2, 1, 2);
  w.constant();
  OneOp op = make_op(OpCode::kFullyConnected, {&x, &w}, y, plan::FullyConnectedT());
  for (const bool float16 : {true, false}) {
    op.float16 = float16;
    check_op(op, {65504, 65504}, {0, 0});
  }
}

TEST_CASE("Unary on float16") {
  using plan::UnaryKind;
  struct Case {
    UnaryKind kind;
    double (*function)(double);
  };
  const Case cases[] = {
      {UnaryKind::kClamp, [](double x) { return std::clamp(x, 0.0, 6.0); }},
      {UnaryKind::kSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {UnaryKind::kHardSwish, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
      {UnaryKind::kTanh, [](double x) { return std::tanh(x); }},
      {UnaryKind::kSin, [](double x) { return std::sin(x); }}};  // no row of it: converted as a whole
  for (const Case& c : cases) {
    for (const DType x_type : kFloats) {
      for (const DType y_type : kFloats) {
        CAPTURE(plan::EnumNameUnaryKind(c.kind), plan::EnumNameDType(x_type), plan::EnumNameDType(y_type));
        for (const auto& [dims, gap] :
             {std::pair<Dims, int32_t>{{20011}, 0}, {{3, 5, 21}, 4}, {{3, 5, 1}, 2}, {{}, 0}}) {
          Tensor x = tensor_of(x_type, dims, gap), y = tensor_of(y_type, dims, gap);
          fill(x, 1, -8, 8);
          plan::UnaryT attributes;
          attributes.kind = c.kind;
          attributes.beta = 6;
          OneOp op = make_op(OpCode::kUnary, {&x}, y, attributes);
          std::vector<double> expected = doubles(x);
          for (double& value : expected) value = c.function(value);
          check_op(op, expected, {6e-4, 1e-5});
        }
      }
    }
  }
}

TEST_CASE("Binary on float16") {
  struct Shapes {
    Dims a, b, y;
    int32_t gap;
  };
  const Shapes shapes[] = {{{3, 5, 40}, {3, 5, 40}, {3, 5, 40}, 3},
                           {{7, 600}, {600}, {7, 600}, 0},
                           {{7, 600}, {7, 1}, {7, 600}, 0},
                           {{}, {3, 600}, {3, 600}, 0},
                           {{4, 1}, {4, 1}, {4, 1}, 2},
                           {{4, 1, 3}, {1, 5, 1}, {4, 5, 3}, 0}};
  for (const Shapes& s : shapes) {
    for (const plan::BinaryKind kind :
         {plan::BinaryKind::kAdd, plan::BinaryKind::kMul, plan::BinaryKind::kLess}) {
      for (int mix = 0; mix < 8; ++mix) {
        CAPTURE(s.a, s.b, plan::EnumNameBinaryKind(kind), mix);
        const bool less = kind == plan::BinaryKind::kLess;
        const auto gap = [&](const Dims& dims) { return dims.size() > 1 ? s.gap : 0; };
        Tensor a = tensor_of(kFloats[mix & 1], s.a, gap(s.a)),
               b = tensor_of(kFloats[mix >> 1 & 1], s.b, gap(s.b));
        Tensor y = tensor_of(less ? DType::kBool : kFloats[mix >> 2], s.y, gap(s.y));
        fill(a, 1);
        fill(b, 2);
        plan::BinaryT attributes;
        attributes.kind = kind;
        if (!less) attributes.clamp = std::make_unique<plan::Clamp>(-0.75f, 0.5f, int8_t{0}, int8_t{0});
        const auto values_a = doubles(a), values_b = doubles(b);
        std::vector<double> expected(static_cast<size_t>(y.info.elements));
        for_each_index(s.y, [&](const Index& i, size_t at) {
          const double p = broadcast_at(values_a, s.a, i), q = broadcast_at(values_b, s.b, i);
          expected[at] = less                             ? static_cast<double>(p < q)
                         : kind == plan::BinaryKind::kAdd ? std::clamp(p + q, -0.75, 0.5)
                                                          : std::clamp(p * q, -0.75, 0.5);
        });
        OneOp op = make_op(OpCode::kBinary, {&a, &b}, y, std::move(attributes));
        check_op(op, expected, kRounded);
      }
    }
  }
}

TEST_CASE("MaxPool2d on float16") {
  for (const int32_t dilation : {1, 2}) {
    for (const DType x_type : kFloats) {
      for (const DType y_type : kFloats) {
        const int32_t out = 9 - 2 * dilation;
        Tensor x = tensor_of(x_type, {1, 9, 9, 6}, 3), y = tensor_of(y_type, {1, out, out, 6}, 1);
        fill(x, 1, -100, 100);
        plan::Pool2dT a;
        a.kernel_h = a.kernel_w = 3;
        a.dilation_h = a.dilation_w = dilation;
        OneOp op = make_op(OpCode::kMaxPool2d, {&x}, y, std::move(a));
        const auto values = doubles(x);
        std::vector<double> expected(static_cast<size_t>(y.info.elements), -1000);
        for_each_index({1, out, out, 6}, [&](const Index& i, size_t at) {
          for (int32_t k = 0; k < 9; ++k) {
            const int32_t row = i[1] + k / 3 * dilation, column = i[2] + k % 3 * dilation;
            expected[at] = std::max(expected[at], values[size_t((row * 9 + column) * 6 + i[3])]);
          }
        });
        check_op(op, expected, {0, 0});
      }
    }
  }
}

TEST_CASE("Softmax on float16: converted as a whole") {
  for (const DType x_type : kFloats) {
    for (const DType y_type : kFloats) {
      Tensor x = tensor_of(x_type, {4, 30}, 2), y = tensor_of(y_type, {4, 30}, 1);
      fill(x, 1, -4, 4);
      OneOp op = make_op(OpCode::kSoftmax, {&x}, y, plan::SoftmaxT());
      std::vector<double> expected = doubles(x);
      for (size_t row = 0; row < 4; ++row) {
        double sum = 0;
        for (size_t i = 0; i < 30; ++i) sum += expected[row * 30 + i] = std::exp(expected[row * 30 + i]);
        for (size_t i = 0; i < 30; ++i) expected[row * 30 + i] /= sum;
      }
      check_op(op, expected, {6e-4, 1e-6});
    }
  }
}

TEST_CASE("Concat of both types, and a constant") {
  for (int mix = 0; mix < 8; ++mix) {
    CAPTURE(mix);
    Tensor a = tensor_of(kFloats[mix & 1], {3, 4}, 2), b(kFloats[mix >> 1 & 1], {3, 2});
    Tensor y = tensor_of(kFloats[mix >> 2], {3, 6}, 1);
    fill(a, 1);
    fill(b, 2);
    b.constant();
    plan::ConcatT attributes;
    attributes.axis = 1;
    OneOp op = make_op(OpCode::kConcat, {&a, &b}, y, attributes);
    const auto values_a = doubles(a), values_b = doubles(b);
    std::vector<double> expected;
    for (size_t row = 0; row < 3; ++row) {
      expected.insert(expected.end(), values_a.begin() + row * 4, values_a.begin() + row * 4 + 4);
      expected.insert(expected.end(), values_b.begin() + row * 2, values_b.begin() + row * 2 + 2);
    }
    check_op(op, expected, {0, 0});
  }
}

TEST_CASE("Only float32 ops with float16 weights compute in float16") {
  const auto computes = [](DType x_type, DType w_type, bool constant) {
    Tensor x(x_type, {1, 8}), w(w_type, {2, 8}), y(x_type, {1, 2});
    const TensorInfo* infos[] = {&x.info, &w.info, &y.info};
    w.info.data = constant ? w.bytes.data() : nullptr;
    flatbuffers::FlatBufferBuilder builder;
    plan::OpT op;
    op.code = OpCode::kFullyConnected;
    builder.Finish(plan::Op::Pack(builder, &op));
    OpContext context;
    context.op = flatbuffers::GetRoot<plan::Op>(builder.GetBufferPointer());
    context.inputs = infos;
    context.input_count = 2;
    context.outputs = infos + 2;
    context.output_count = 1;
    return kernels::float16_kernel_table().computes_float16(context);
  };
  const bool any = computes(DType::kFloat32, DType::kFloat16, true);  // where XNNPACK has kernels
  if (!any) WARN("no float16 kernels for this CPU");
  CHECK(!computes(DType::kFloat32, DType::kFloat32, true));
  CHECK(!computes(DType::kInt8, DType::kInt8, true));
  CHECK(!computes(DType::kFloat32, DType::kFloat16, false));
  CHECK(kernels::float32_kernel_table().computes_float16 == nullptr);
}

}  // namespace
}  // namespace bantam::test
