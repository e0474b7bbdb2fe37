// Element-wise kernels, reductions and movement of data, float32.
#include "bantam/kernels/kernel_table.h"
#include "bench_op.h"

namespace bantam::bench {
namespace {

using plan::DType;
using plan::OpCode;

template <typename Attributes>
BenchOp make_op(OpCode code, Attributes attributes) {
  plan::OpT op;
  op.code = code;
  op.attributes.Set(std::move(attributes));
  return BenchOp(std::move(op));
}

void binary(benchmark::State& state, plan::BinaryKind kind, std::vector<int32_t> a, std::vector<int32_t> b) {
  plan::BinaryT attributes;
  attributes.kind = kind;
  BenchOp op = make_op(OpCode::kBinary, std::move(attributes));
  op.input(Tensor(DType::kFloat32, a));
  op.input(Tensor(DType::kFloat32, std::move(b)));
  op.output(Tensor(DType::kFloat32, std::move(a)));
  op.run(state, kernels::kernel_table().create);
}
BENCHMARK_CAPTURE(binary, add_56x56x64, plan::BinaryKind::kAdd, {1, 56, 56, 64}, {1, 56, 56, 64});
BENCHMARK_CAPTURE(binary, excite_56x56x72, plan::BinaryKind::kMul, {1, 56, 56, 72}, {1, 1, 1, 72});
BENCHMARK_CAPTURE(binary, excite_14x14x672, plan::BinaryKind::kMul, {1, 14, 14, 672}, {1, 1, 1, 672});

void unary(benchmark::State& state, plan::UnaryKind kind) {
  plan::UnaryT attributes;
  attributes.kind = kind;
  attributes.beta = 6;
  BenchOp op = make_op(OpCode::kUnary, attributes);
  op.input(Tensor(DType::kFloat32, {1, 56, 56, 64}));
  op.output(Tensor(DType::kFloat32, {1, 56, 56, 64}));
  op.run(state, kernels::kernel_table().create);
}
BENCHMARK_CAPTURE(unary, clamp, plan::UnaryKind::kClamp);
BENCHMARK_CAPTURE(unary, hard_swish, plan::UnaryKind::kHardSwish);
BENCHMARK_CAPTURE(unary, silu, plan::UnaryKind::kSilu);
BENCHMARK_CAPTURE(unary, sigmoid, plan::UnaryKind::kSigmoid);
BENCHMARK_CAPTURE(unary, gelu, plan::UnaryKind::kGelu);
BENCHMARK_CAPTURE(unary, tanh, plan::UnaryKind::kTanh);

void reduce(benchmark::State& state, std::vector<int32_t> x, std::vector<int32_t> axes,
            std::vector<int32_t> y) {
  plan::ReduceT attributes;
  attributes.kind = plan::ReduceKind::kMean;
  attributes.axes = std::move(axes);
  BenchOp op = make_op(OpCode::kReduce, std::move(attributes));
  op.input(Tensor(DType::kFloat32, std::move(x)));
  op.output(Tensor(DType::kFloat32, std::move(y)));
  op.run(state, kernels::kernel_table().create);
}
BENCHMARK_CAPTURE(reduce, global_7x7x1280, {1, 7, 7, 1280}, {1, 2}, {1, 1, 1, 1280});
BENCHMARK_CAPTURE(reduce, global_112x112x32, {1, 112, 112, 32}, {1, 2}, {1, 1, 1, 32});
BENCHMARK_CAPTURE(reduce, channels_56x56x64, {1, 56, 56, 64}, {3}, {1, 56, 56, 1});

void softmax(benchmark::State& state) {
  BenchOp op = make_op(OpCode::kSoftmax, plan::SoftmaxT());
  op.input(Tensor(DType::kFloat32, {12, 197, 197}));
  op.output(Tensor(DType::kFloat32, {12, 197, 197}));
  op.run(state, kernels::kernel_table().create);
}
BENCHMARK(softmax);

void layer_norm(benchmark::State& state) {
  BenchOp op = make_op(OpCode::kLayerNorm, plan::LayerNormT());
  op.input(Tensor(DType::kFloat32, {197, 768}));
  op.constant(Tensor(DType::kFloat32, {768}));
  op.constant(Tensor(DType::kFloat32, {768}));
  op.output(Tensor(DType::kFloat32, {197, 768}));
  op.run(state, kernels::kernel_table().create);
}
BENCHMARK(layer_norm);

void transpose(benchmark::State& state, DType dtype) {
  plan::TransposeT attributes;
  attributes.perm = {0, 3, 1, 2};
  BenchOp op = make_op(OpCode::kTranspose, std::move(attributes));
  op.input(Tensor(dtype, {1, 56, 56, 64}));
  op.output(Tensor(dtype, {1, 64, 56, 56}));
  op.run(state, kernels::kernel_table().create);
}
BENCHMARK_CAPTURE(transpose, float32, DType::kFloat32);
BENCHMARK_CAPTURE(transpose, int8, DType::kInt8);

void resize(benchmark::State& state) {
  plan::ResizeT attributes;
  attributes.mode = plan::ResizeMode::kLinear;
  attributes.scale_h = attributes.scale_w = 4;
  BenchOp op = make_op(OpCode::kResize, std::move(attributes));
  op.input(Tensor(DType::kFloat32, {1, 28, 28, 64}));
  op.output(Tensor(DType::kFloat32, {1, 112, 112, 64}));
  op.run(state, kernels::kernel_table().create);
}
BENCHMARK(resize);

void max_pool(benchmark::State& state, DType dtype) {
  plan::Pool2dT attributes;
  attributes.kernel_h = attributes.kernel_w = 3;
  attributes.stride_h = attributes.stride_w = 2;
  attributes.pad_top = attributes.pad_bottom = attributes.pad_left = attributes.pad_right = 1;
  BenchOp op = make_op(OpCode::kMaxPool2d, std::move(attributes));
  op.input(Tensor(dtype, {1, 112, 112, 64}));
  op.output(Tensor(dtype, {1, 56, 56, 64}));
  op.run(state, kernels::kernel_table().create);
}
BENCHMARK_CAPTURE(max_pool, float32, DType::kFloat32);
BENCHMARK_CAPTURE(max_pool, int8, DType::kInt8);

}  // namespace
}  // namespace bantam::bench
