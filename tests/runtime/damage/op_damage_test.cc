// Every op's check accepts a sound op and refuses each contradiction.
#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "loading.h"
#include "types.h"

namespace bantam::test {
namespace {

using plan::DType;
using plan::OpCode;
Type u8(Shape shape) { return {DType::kUInt8, std::move(shape)}; }
Type i64(Shape shape) { return {DType::kInt64, std::move(shape)}; }
Type boolean(Shape shape) { return {DType::kBool, std::move(shape)}; }

// What is wrong with a plan of one op, or "". int8 tensors of more than one dimension are quantized.
template <typename Attributes>
std::string problem(OpCode code, const std::vector<Type>& inputs, const Type& output, Attributes attributes) {
  PlanBuilder builder;
  const auto add = [&](const Type& type, const std::string& name) {
    const int32_t index = builder.tensor(name, type.dtype, type.shape);
    if (type.dtype == DType::kInt8 && type.shape.size() > 1) builder.quantize(index, {0.5f});
    return index;
  };
  std::vector<int32_t> indices;
  for (size_t i = 0; i < inputs.size(); ++i) {
    indices.push_back(add(inputs[i], "in" + std::to_string(i)));
    builder.plan.inputs.push_back(indices.back());
  }
  const int32_t result = add(output, "out");
  builder.output(result);
  plan::OpT& op = builder.op(code, indices, result);
  if constexpr (!std::is_same_v<Attributes, std::nullptr_t>) op.attributes.Set(std::move(attributes));
  const std::string text = problem_of(builder.file());
  return text.rfind("op 0: ", 0) == 0 ? text.substr(6) : text;
}

std::string problem(OpCode code, const std::vector<Type>& inputs, const Type& output) {
  return problem(code, inputs, output, nullptr);
}

template <typename Attributes, typename Change>
Attributes with(Change change) {
  Attributes attributes;
  change(attributes);
  return attributes;
}

const std::string kShape = "the shape of its output contradicts its inputs and attributes";
const std::string kDtype = "the dtypes of its inputs and output do not fit together";
const std::string kScale = "an int8 tensor lacks a scale, or has more than one";
const std::string kAxis = "an axis is out of range";
const std::string kEnum = "an attribute has an unknown value";
const std::string kRank = "an input or output has the wrong number of dimensions";
const std::string kWindow = "a kernel, stride, dilation or padding is out of range";
const std::string kClamp = "its clamp is empty or not a number";
const float kNan = std::numeric_limits<float>::quiet_NaN();

std::string conv(OpCode code, const Type& x, const Type& w, const Type& y, void (*change)(plan::Conv2dT&)) {
  return problem(code, {x, w}, y, with<plan::Conv2dT>(change));
}

TEST_CASE("Conv2d") {
  const auto check = [](const Type& x, const Type& w, const Type& y, void (*change)(plan::Conv2dT&)) {
    return conv(OpCode::kConv2d, x, w, y, change);
  };
  const Type x = f32({1, 8, 9, 4});
  const Type w = f32({6, 3, 3, 4});
  const auto none = [](plan::Conv2dT&) {};
  CHECK(check(x, w, f32({1, 6, 7, 6}), none) == "");
  CHECK(check(x, w, f32({1, 8, 7, 6}), [](auto& a) { a.pad_top = a.pad_bottom = 1; }) == "");
  CHECK(check(x, w, f32({1, 3, 4, 6}), [](auto& a) { a.stride_h = a.stride_w = 2; }) == "");
  CHECK(check(x, f32({6, 3, 3, 2}), f32({1, 6, 7, 6}), [](auto& a) { a.groups = 2; }) == "");
  CHECK(check(x, w, f32({1, 4, 5, 6}), [](auto& a) { a.dilation_h = a.dilation_w = 2; }) == "");
  CHECK(check(x, w, f32({1, 7, 7, 6}), none) == kShape);
  CHECK(check(x, w, f32({2, 6, 7, 6}), none) == kShape);
  CHECK(check(x, w, f32({1, 6, 7, 5}), none) == kShape);
  CHECK(check(x, f32({6, 9, 3, 4}), f32({1, 1, 7, 6}), none) == kShape);
  CHECK(check(x, f32({6, 3, 3, 3}), f32({1, 6, 7, 6}), none) == "its groups do not divide its channels");
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) { a.groups = 0; }) ==
        "its groups do not divide its channels");
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) { a.groups = 3; }) ==
        "its groups do not divide its channels");
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) { a.stride_h = 0; }) == kWindow);
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) { a.stride_w = -1; }) == kWindow);
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) { a.dilation_h = 0; }) == kWindow);
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) { a.pad_left = -1; }) == kWindow);
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) { a.pad_right = 1 << 30; }) == kWindow);
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) { a.dilation_w = 1 << 30; }) == kWindow);
  CHECK(check(x, w, i8({1, 6, 7, 6}), none) == kDtype);
  CHECK(check(i8({1, 8, 9, 4}), i8({6, 3, 3, 4}), i8({1, 6, 7, 6}), none) ==
        "int8 weights must be constant, with scales and zero point 0");
  CHECK(check(f32({8, 9, 4}), w, f32({1, 6, 7, 6}), none) == kRank);
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) {
          a.clamp = std::make_unique<plan::Clamp>(1.f, 0.f, int8_t{0}, int8_t{0});
        }) == kClamp);
  CHECK(check(x, w, f32({1, 6, 7, 6}), [](auto& a) {
          a.clamp = std::make_unique<plan::Clamp>(kNan, 0.f, int8_t{0}, int8_t{0});
        }) == kClamp);
  CHECK(problem(OpCode::kConv2d, {x, w, f32({5})}, f32({1, 6, 7, 6}), plan::Conv2dT()) ==
        "its bias has the wrong length");
}

TEST_CASE("ConvTranspose2d") {
  const auto check = [](const Type& y, void (*change)(plan::Conv2dT&)) {
    return conv(OpCode::kConvTranspose2d, f32({1, 4, 5, 4}), f32({6, 3, 3, 4}), y, change);
  };
  const auto stride2 = [](plan::Conv2dT& a) { a.stride_h = a.stride_w = 2; };
  CHECK(check(f32({1, 6, 7, 6}), [](auto&) {}) == "");
  CHECK(check(f32({1, 9, 11, 6}), stride2) == "");
  CHECK(check(f32({1, 10, 11, 6}), [](auto& a) { a.stride_h = a.stride_w = 2, a.output_pad_h = 1; }) == "");
  CHECK(check(f32({1, 10, 11, 6}), stride2) == kShape);
  CHECK(check(f32({1, 11, 11, 6}), [](auto& a) { a.stride_h = a.stride_w = 2, a.output_pad_h = 2; }) ==
        kWindow);
  CHECK(check(f32({1, 8, 11, 6}), [](auto& a) { a.stride_h = a.stride_w = 2, a.output_pad_h = -1; }) ==
        kWindow);
}

TEST_CASE("pools") {
  const auto check = [](OpCode code, const Type& x, const Type& y, void (*change)(plan::Pool2dT&)) {
    return problem(code, {x}, y, with<plan::Pool2dT>([&](plan::Pool2dT& a) {
                     a.kernel_h = a.kernel_w = 3, a.stride_h = a.stride_w = 2;
                     change(a);
                   }));
  };
  const Type x = f32({1, 8, 8, 4});
  CHECK(check(OpCode::kMaxPool2d, x, f32({1, 3, 3, 4}), [](auto&) {}) == "");
  CHECK(check(OpCode::kMaxPool2d, x, f32({1, 4, 4, 4}), [](auto& a) { a.ceil_mode = true; }) == "");
  CHECK(check(OpCode::kMaxPool2d, x, f32({1, 5, 4, 4}), [](auto& a) { a.ceil_mode = true; }) == kShape);
  CHECK(check(OpCode::kMaxPool2d, x, f32({1, 2, 4, 4}), [](auto& a) { a.ceil_mode = true; }) == kShape);
  CHECK(check(OpCode::kMaxPool2d, x, f32({1, 4, 4, 4}), [](auto&) {}) == kShape);
  CHECK(check(OpCode::kMaxPool2d, x, f32({1, 3, 3, 5}), [](auto&) {}) == kShape);
  CHECK(check(OpCode::kMaxPool2d, x, f32({1, 5, 3, 4}), [](auto& a) { a.pad_top = 3; }) == kWindow);
  CHECK(check(OpCode::kMaxPool2d, x, f32({1, 3, 3, 4}), [](auto& a) { a.kernel_h = 0; }) == kWindow);
  CHECK(check(OpCode::kMaxPool2d, x, i8({1, 3, 3, 4}), [](auto&) {}) == kDtype);
  CHECK(check(OpCode::kAveragePool2d, i8({1, 8, 8, 4}), i8({1, 3, 3, 4}), [](auto&) {}) == "");
  CHECK(check(OpCode::kAveragePool2d, u8({1, 8, 8, 4}), u8({1, 3, 3, 4}), [](auto&) {}) == kScale);
}

TEST_CASE("FullyConnected and MatMul") {
  const plan::FullyConnectedT none;
  CHECK(problem(OpCode::kFullyConnected, {f32({2, 3, 8}), f32({5, 8}), f32({5})}, f32({2, 3, 5}), none) ==
        "");
  CHECK(problem(OpCode::kFullyConnected, {f32({2, 3, 8}), f32({5, 7})}, f32({2, 3, 5}), none) == kShape);
  CHECK(problem(OpCode::kFullyConnected, {f32({2, 3, 8}), f32({5, 8})}, f32({2, 3, 4}), none) == kShape);
  CHECK(problem(OpCode::kFullyConnected, {f32({2, 3, 8}), f32({5, 8})}, f32({3, 2, 5}), none) == kShape);
  CHECK(problem(OpCode::kFullyConnected, {f32({2, 8}), f32({5, 8}), f32({4})}, f32({2, 5}), none) ==
        "its bias has the wrong length");
  CHECK(problem(OpCode::kFullyConnected, {f32({2, 8}), f32({40})}, f32({2, 5}), none) == kRank);

  plan::MatMulT plain;
  plan::MatMulT transposed;
  transposed.transpose_b = true;
  CHECK(problem(OpCode::kMatMul, {f32({7, 1, 2, 3}), f32({6, 3, 4})}, f32({7, 6, 2, 4}), plain) == "");
  CHECK(problem(OpCode::kMatMul, {f32({2, 3}), f32({4, 3})}, f32({2, 4}), transposed) == "");
  CHECK(problem(OpCode::kMatMul, {f32({2, 3}), f32({4, 3})}, f32({2, 4}), plain) == kShape);
  CHECK(problem(OpCode::kMatMul, {f32({5, 2, 3}), f32({6, 3, 4})}, f32({6, 2, 4}), plain) == kShape);
  CHECK(problem(OpCode::kMatMul, {f32({3}), f32({3, 4})}, f32({4}), plain) == kRank);
  CHECK(problem(OpCode::kMatMul, {f32({2, 3}), i8({3, 4})}, f32({2, 4}), plain) == kDtype);
}

TEST_CASE("reductions, softmax and normalization") {
  const auto reduce = [](std::vector<int32_t> axes, bool keep, const Type& y) {
    plan::ReduceT a;
    a.axes = std::move(axes);
    a.keep_dims = keep;
    return problem(OpCode::kReduce, {f32({2, 3, 4})}, y, std::move(a));
  };
  CHECK(reduce({1}, true, f32({2, 1, 4})) == "");
  CHECK(reduce({0, 2}, false, f32({3})) == "");
  CHECK(reduce({0, 1, 2}, false, f32({})) == "");
  CHECK(reduce({1}, false, f32({2, 1, 4})) == kShape);
  CHECK(reduce({3}, true, f32({2, 3, 4})) == kAxis);
  CHECK(reduce({-1}, true, f32({2, 3, 1})) == kAxis);
  CHECK(reduce({1, 1}, true, f32({2, 1, 4})) == kAxis);
  CHECK(problem(OpCode::kReduce, {f32({2})}, f32({2}),
                with<plan::ReduceT>([](auto& a) { a.kind = static_cast<plan::ReduceKind>(99); })) == kEnum);

  const auto arg_max = [](int32_t axis, const Type& y) {
    return problem(OpCode::kArgMax, {f32({2, 3})}, y, with<plan::ArgMaxT>([&](auto& a) { a.axis = axis; }));
  };
  CHECK(arg_max(1, i64({2, 1})) == "");
  CHECK(arg_max(1, i64({2, 3})) == kShape);
  CHECK(arg_max(2, i64({2, 1})) == kAxis);
  CHECK(arg_max(1, f32({2, 1})) == kDtype);

  const auto softmax = [](const Type& x, int32_t axis, const Type& y) {
    return problem(OpCode::kSoftmax, {x}, y, with<plan::SoftmaxT>([&](auto& a) { a.axis = axis; }));
  };
  CHECK(softmax(f32({2, 3}), -1, f32({2, 3})) == "");
  CHECK(softmax(f32({2, 3}), 1, f32({2, 3})) == "");
  CHECK(softmax(f32({2, 3}), 0, f32({2, 3})) == kAxis);
  CHECK(softmax(f32({}), -1, f32({})) == kAxis);
  CHECK(softmax(f32({2, 3}), -1, f32({3, 2})) == kShape);
  plan::SoftmaxT last;
  last.axis = -1;
  CHECK(problem(OpCode::kSoftmax, {f32({2, 3}), f32({256})}, f32({2, 3}), last) ==
        "its table is not a constant int32 [256]");

  const auto layer_norm = [](int32_t axes, float epsilon, const Type& scale) {
    return problem(OpCode::kLayerNorm, {f32({2, 3, 4}), scale}, f32({2, 3, 4}),
                   with<plan::LayerNormT>([&](auto& a) { a.axes = axes, a.epsilon = epsilon; }));
  };
  CHECK(layer_norm(2, 0.1f, f32({3, 4})) == "");
  CHECK(layer_norm(2, 0.1f, f32({12})) == "its scale or bias has the wrong shape");
  CHECK(layer_norm(1, 0.1f, f32({3})) == "its scale or bias has the wrong shape");
  CHECK(layer_norm(4, 0.1f, f32({3, 4})) == kAxis);
  CHECK(layer_norm(0, 0.1f, f32({3, 4})) == kAxis);
  CHECK(layer_norm(2, kNan, f32({3, 4})) == "its epsilon is out of range");

  const plan::InstanceNormT instance;
  CHECK(problem(OpCode::kInstanceNorm, {f32({1, 3, 3, 2}), f32({2}), f32({2})}, f32({1, 3, 3, 2}),
                instance) == "");
  CHECK(problem(OpCode::kInstanceNorm, {f32({1, 3, 3, 2}), f32({3}), f32({2})}, f32({1, 3, 3, 2}),
                instance) == "its scale or bias has the wrong length");
}

TEST_CASE("elementwise ops") {
  const auto unary = [](plan::UnaryKind kind, const Type& x, const Type& y, float alpha) {
    return problem(OpCode::kUnary, {x}, y,
                   with<plan::UnaryT>([&](auto& a) { a.kind = kind, a.alpha = alpha; }));
  };
  using plan::UnaryKind;
  CHECK(unary(UnaryKind::kTanh, f32({2, 3}), f32({2, 3}), 0) == "");
  CHECK(unary(UnaryKind::kTanh, f32({2, 3}), f32({3, 2}), 0) == kShape);
  CHECK(unary(UnaryKind::kTanh, f32({2, 3}), f32({2, 3}), kNan) == "an attribute is not a number");
  CHECK(unary(UnaryKind::kClamp, f32({2, 3}), f32({2, 3}), 1) == kClamp);
  CHECK(unary(UnaryKind::kIsNaN, f32({2}), boolean({2}), 0) == "");
  CHECK(unary(UnaryKind::kIsNaN, f32({2}), f32({2}), 0) == kDtype);
  CHECK(unary(UnaryKind::kNot, f32({2}), f32({2}), 0) == kDtype);
  CHECK(unary(UnaryKind::kTanh, i8({2}), i8({2}), 0) == kScale);
  CHECK(unary(static_cast<UnaryKind>(200), f32({2}), f32({2}), 0) == kEnum);

  const auto binary = [](plan::BinaryKind kind, const Type& a, const Type& b, const Type& y) {
    return problem(OpCode::kBinary, {a, b}, y, with<plan::BinaryT>([&](auto& attrs) { attrs.kind = kind; }));
  };
  using plan::BinaryKind;
  CHECK(binary(BinaryKind::kAdd, f32({2, 1, 4}), f32({3, 1}), f32({2, 3, 4})) == "");
  CHECK(binary(BinaryKind::kLess, f32({2}), f32({}), boolean({2})) == "");
  CHECK(binary(BinaryKind::kAdd, f32({2, 4}), f32({3, 4}), f32({3, 4})) == kShape);
  CHECK(binary(BinaryKind::kAdd, f32({4}), f32({4}), f32({1, 4})) == kShape);
  CHECK(binary(BinaryKind::kAdd, f32({4}), f32({1}), f32({5})) == kShape);
  CHECK(binary(BinaryKind::kAdd, f32({4}), i64({4}), f32({4})) == kDtype);
  CHECK(binary(BinaryKind::kLess, f32({4}), f32({4}), f32({4})) == kDtype);
  CHECK(binary(BinaryKind::kAnd, f32({4}), f32({4}), boolean({4})) == kDtype);
  CHECK(binary(BinaryKind::kMul, i8({4}), i8({4}), i8({4})) == kScale);
  CHECK(binary(static_cast<BinaryKind>(100), f32({4}), f32({4}), f32({4})) == kEnum);
  CHECK(problem(OpCode::kBinary, {f32({4}), f32({4})}, f32({4}), with<plan::BinaryT>([](auto& attrs) {
                  attrs.rounding = static_cast<plan::SumRounding>(3);
                })) == kEnum);

  CHECK(problem(OpCode::kWhere, {boolean({2, 1}), f32({3}), f32({1})}, f32({2, 3})) == "");
  CHECK(problem(OpCode::kWhere, {boolean({2, 1}), f32({3}), f32({1})}, f32({2, 1})) == kShape);
  CHECK(problem(OpCode::kWhere, {boolean({2, 1}), f32({3}), f32({2})}, f32({2, 3})) == kShape);
  CHECK(problem(OpCode::kWhere, {f32({2, 1}), f32({3}), f32({1})}, f32({2, 3})) == kDtype);
  CHECK(problem(OpCode::kCast, {f32({2})}, i64({2})) == "");
  CHECK(problem(OpCode::kCast, {f32({2})}, i64({3})) == kShape);
}

TEST_CASE("quantized elementwise ops") {
  CHECK(problem(OpCode::kLookup, {i8({2, 3}), i8({256})}, i8({2, 3})) == "");
  CHECK(problem(OpCode::kLookup, {i8({2, 3}), i8({255})}, i8({2, 3})) == "its table is not [256]");
  CHECK(problem(OpCode::kLookup, {i8({2, 3}), u8({256})}, i8({2, 3})) == kDtype);
  CHECK(problem(OpCode::kQuantize, {f32({2, 3})}, i8({2, 3})) == "");
  CHECK(problem(OpCode::kQuantize, {f32({6})}, i8({6})) == kScale);
  CHECK(problem(OpCode::kQuantize, {f32({2, 3})}, u8({2, 3})) == kDtype);
  CHECK(problem(OpCode::kDequantize, {i8({2, 3})}, f32({2, 3})) == "");
  CHECK(problem(OpCode::kDequantize, {i8({2, 3})}, f32({3, 2})) == kShape);
  CHECK(problem(OpCode::kDequantize, {i8({6})}, f32({6})) == kScale);
  CHECK(problem(OpCode::kRequantize, {i8({2, 3})}, i8({2, 3})) == "");
  CHECK(problem(OpCode::kRequantize, {i8({2, 3})}, i8({6})) == kScale);
  CHECK(problem(OpCode::kNormalizeImage, {u8({1, 4, 4, 3}), f32({3, 256})}, f32({1, 4, 4, 3})) == "");
  CHECK(problem(OpCode::kNormalizeImage, {u8({1, 4, 4, 3}), f32({3, 255})}, f32({1, 4, 4, 3})) ==
        "its table is not [channels, 256]");
  CHECK(problem(OpCode::kNormalizeImage, {i8({1, 4, 4, 3}), f32({3, 256})}, f32({1, 4, 4, 3})) == kDtype);
}

TEST_CASE("ops that move elements") {
  const auto concat = [](int32_t axis, const std::vector<Type>& inputs, const Type& y) {
    return problem(OpCode::kConcat, inputs, y, with<plan::ConcatT>([&](auto& a) { a.axis = axis; }));
  };
  CHECK(concat(1, {f32({2, 3}), f32({2, 1})}, f32({2, 4})) == "");
  CHECK(concat(1, {f32({2, 3}), f32({2, 1})}, f32({2, 5})) == kShape);
  CHECK(concat(1, {f32({2, 3}), f32({1, 1})}, f32({2, 4})) == kShape);
  CHECK(concat(2, {f32({2, 3}), f32({2, 1})}, f32({2, 4})) == kAxis);
  CHECK(concat(-1, {f32({2, 3}), f32({2, 1})}, f32({2, 4})) == kAxis);
  CHECK(concat(0, {f32({2}), i64({2})}, f32({4})) == kDtype);
  CHECK(concat(0, {}, f32({4})) == "an input is missing");

  const auto slice = [](Shape starts, Shape steps, const Type& y) {
    return problem(OpCode::kSlice, {f32({4, 6})}, y,
                   with<plan::SliceT>([&](auto& a) { a.starts = starts, a.steps = steps; }));
  };
  const std::string outside = "it reaches outside of its input";
  CHECK(slice({1, 0}, {1, 2}, f32({3, 3})) == "");
  CHECK(slice({3, 5}, {-1, -5}, f32({4, 2})) == "");
  CHECK(slice({1, 0}, {1, 2}, f32({3, 4})) == outside);
  CHECK(slice({2, 5}, {-1, -1}, f32({4, 6})) == outside);
  CHECK(slice({-1, 0}, {1, 1}, f32({1, 1})) == outside);
  CHECK(slice({0, 0}, {0, 1}, f32({1, 1})) == outside);
  CHECK(slice({0}, {1, 1}, f32({1, 1})) == kRank);

  const auto pad = [](plan::PadMode mode, Shape before, Shape after, const Type& y) {
    return problem(OpCode::kPad, {f32({4, 6})}, y,
                   with<plan::PadT>([&](auto& a) { a.mode = mode, a.before = before, a.after = after; }));
  };
  CHECK(pad(plan::PadMode::kConstant, {1, 2}, {0, 9}, f32({5, 17})) == "");
  CHECK(pad(plan::PadMode::kConstant, {1, 2}, {0, 9}, f32({5, 16})) == kShape);
  CHECK(pad(plan::PadMode::kConstant, {-1, 0}, {0, 0}, f32({3, 6})) == "its padding is negative");
  CHECK(pad(plan::PadMode::kReflect, {3, 0}, {0, 0}, f32({7, 6})) == "");
  CHECK(pad(plan::PadMode::kReflect, {4, 0}, {0, 0}, f32({8, 6})) == "it reflects more than its input");
  CHECK(pad(plan::PadMode::kWrap, {5, 0}, {0, 0}, f32({9, 6})) == "it wraps more than its input");
  CHECK(pad(static_cast<plan::PadMode>(9), {0, 0}, {0, 0}, f32({4, 6})) == kEnum);

  const auto transpose = [](Shape perm, const Type& y) {
    return problem(OpCode::kTranspose, {f32({2, 3, 4})}, y,
                   with<plan::TransposeT>([&](auto& a) { a.perm = perm; }));
  };
  CHECK(transpose({2, 0, 1}, f32({4, 2, 3})) == "");
  CHECK(transpose({2, 0, 1}, f32({2, 3, 4})) == kShape);
  CHECK(transpose({2, 2, 1}, f32({4, 2, 3})) == "it is not a permutation");
  CHECK(transpose({2, 0, 3}, f32({4, 2, 3})) == "it is not a permutation");
  CHECK(transpose({1, 0}, f32({4, 2, 3})) == kRank);

  CHECK(problem(OpCode::kReshape, {f32({2, 3})}, f32({6, 1})) == "");
  CHECK(problem(OpCode::kReshape, {f32({2, 3})}, f32({7})) == kShape);
  CHECK(problem(OpCode::kCopy, {f32({2, 3})}, f32({2, 3})) == "");
  CHECK(problem(OpCode::kCopy, {f32({2, 3})}, f32({3, 2})) == kShape);
  CHECK(problem(OpCode::kTile, {f32({2, 3})}, f32({4, 3})) == "");
  CHECK(problem(OpCode::kTile, {f32({2, 3})}, f32({3, 3})) == kShape);
  CHECK(problem(OpCode::kExpand, {f32({3, 1})}, f32({2, 3, 4})) == "");
  CHECK(problem(OpCode::kExpand, {f32({3, 2})}, f32({2, 3, 4})) == kShape);
}

TEST_CASE("Gather and Resize") {
  const auto gather = [](int32_t axis, bool elements, const Type& indices, const Type& y) {
    return problem(OpCode::kGather, {f32({4, 5, 6}), indices}, y,
                   with<plan::GatherT>([&](auto& a) { a.axis = axis, a.elements = elements; }));
  };
  CHECK(gather(1, false, i64({2, 3}), f32({4, 2, 3, 6})) == "");
  CHECK(gather(1, false, i64({}), f32({4, 6})) == "");
  CHECK(gather(2, false, i64({2}), f32({4, 5, 2})) == "");
  CHECK(gather(1, false, i64({2, 3}), f32({4, 3, 2, 6})) == kShape);
  CHECK(gather(3, false, i64({}), f32({4, 5})) == kAxis);
  CHECK(gather(0, false, f32({2}), f32({2, 5, 6})) == kDtype);
  CHECK(gather(1, true, i64({4, 9, 6}), f32({4, 9, 6})) == "");
  CHECK(gather(1, true, i64({5, 9, 6}), f32({5, 9, 6})) == kShape);
  CHECK(gather(1, true, i64({4, 9, 6}), f32({4, 5, 6})) == kShape);

  const auto resize = [](const Type& y, void (*change)(plan::ResizeT&)) {
    return problem(OpCode::kResize, {f32({1, 4, 4, 3})}, y, with<plan::ResizeT>(change));
  };
  const Type y = f32({1, 8, 8, 3});
  CHECK(resize(y, [](auto&) {}) == "");
  CHECK(resize(f32({1, 8, 8, 4}), [](auto&) {}) == kShape);
  CHECK(resize(y, [](auto& a) { a.scale_h = 0; }) == "a scale is not a positive number");
  CHECK(resize(y, [](auto& a) { a.scale_w = kNan; }) == "a scale is not a positive number");
  CHECK(resize(y, [](auto& a) { a.mode = static_cast<plan::ResizeMode>(7); }) == kEnum);
  CHECK(resize(y, [](auto& a) { a.roi = {1}; }) == "its region has not 4 numbers");
  CHECK(resize(y, [](auto& a) { a.roi = {0, 0, 1, kNan}; }) == "its region is not finite");
  CHECK(resize(y, [](auto& a) { a.coordinates = plan::CoordinateMode::kTfCropAndResize; }) ==
        "its region has not 4 numbers");
}

}  // namespace
}  // namespace bantam::test
