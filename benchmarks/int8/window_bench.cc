#include <xnnpack.h>

#include <cmath>

#include "bench_op.h"
#include "int8/int8_kernels.h"

namespace bantam::bench {
namespace {

using plan::DType;

void global_average(benchmark::State& state) {
  const auto size = static_cast<int32_t>(state.range(0)), channels = static_cast<int32_t>(state.range(1));
  plan::OpT plan_op;
  plan_op.code = plan::OpCode::kReduce;
  plan::ReduceT reduce;
  reduce.kind = plan::ReduceKind::kMean;
  reduce.axes = {1, 2};
  plan_op.attributes.Set(std::move(reduce));
  BenchOp op(std::move(plan_op));
  op.input(Tensor(DType::kInt8, {1, size, size, channels}));
  op.output(Tensor(DType::kInt8, {1, 1, 1, channels}));
  op.run(state, kernels::create_int8_reduce);
}
BENCHMARK(global_average)->Args({7, 1280})->Args({56, 72})->Args({112, 16});

void xnnpack_global_average(benchmark::State& state) {
  const auto size = static_cast<size_t>(state.range(0)), channels = static_cast<size_t>(state.range(1));
  xnn_initialize(nullptr);
  const xnn_quantization_params quantization = {0, 0.02f};
  xnn_operator_t op = nullptr;
  xnn_create_reduce_nd(xnn_reduce_mean, xnn_datatype_qint8, &quantization, &quantization, 0, &op);
  const auto elements = static_cast<int32_t>(size * size * channels);
  const Tensor x(DType::kInt8, {elements});
  Tensor y(DType::kInt8, {static_cast<int32_t>(channels)});
  const int64_t axes[] = {0, 1};
  const size_t dims[] = {size, size, channels};
  size_t workspace = 0, alignment = 0;
  xnn_reshape_reduce_nd(op, 2, axes, 3, dims, &workspace, &alignment, nullptr);
  std::vector<uint8_t> scratch(workspace + 1);
  xnn_setup_reduce_nd(op, scratch.data(), x.bytes.get(), y.bytes.get());
  for (auto _ : state) xnn_run_operator(op, nullptr);
  xnn_delete_operator(op);
}
BENCHMARK(xnnpack_global_average)->Args({7, 1280})->Args({56, 72})->Args({112, 16});

void average_pool(benchmark::State& state) {
  const auto stride = static_cast<int32_t>(state.range(0));
  plan::OpT plan_op;
  plan_op.code = plan::OpCode::kAveragePool2d;
  plan::Pool2dT pool;
  pool.kernel_h = pool.kernel_w = 3;
  pool.stride_h = pool.stride_w = stride;
  pool.pad_top = pool.pad_left = pool.pad_bottom = pool.pad_right = 1;
  plan_op.attributes.Set(std::move(pool));
  BenchOp op(std::move(plan_op));
  const int32_t out = (28 - 1) / stride + 1;
  op.input(Tensor(DType::kInt8, {1, 28, 28, 192}));
  op.output(Tensor(DType::kInt8, {1, out, out, 192}));
  op.run(state, kernels::create_int8_average_pool);
}
BENCHMARK(average_pool)->Arg(1)->Arg(2);

void resize(benchmark::State& state, plan::ResizeMode mode) {
  plan::OpT plan_op;
  plan_op.code = plan::OpCode::kResize;
  plan::ResizeT attributes;
  attributes.mode = mode;
  attributes.scale_h = attributes.scale_w = 2.0f;
  plan_op.attributes.Set(std::move(attributes));
  BenchOp op(std::move(plan_op));
  const auto channels = static_cast<int32_t>(state.range(0));
  op.input(Tensor(DType::kInt8, {1, 28, 28, channels}));
  op.output(Tensor(DType::kInt8, {1, 56, 56, channels}));
  op.run(state, kernels::create_int8_resize);
}
BENCHMARK_CAPTURE(resize, nearest, plan::ResizeMode::kNearest)->Arg(24)->Arg(128);
BENCHMARK_CAPTURE(resize, linear, plan::ResizeMode::kLinear)->Arg(24)->Arg(128);

void softmax(benchmark::State& state) {
  plan::OpT plan_op;
  plan_op.code = plan::OpCode::kSoftmax;
  plan_op.attributes.Set(plan::SoftmaxT());
  BenchOp op(std::move(plan_op));
  const auto rows = static_cast<int32_t>(state.range(0)), length = static_cast<int32_t>(state.range(1));
  op.input(Tensor(DType::kInt8, {rows, length}));
  Tensor& table = op.constant(Tensor(DType::kInt32, {256}));
  for (int i = 0; i < 256; ++i) {
    reinterpret_cast<int32_t*>(table.bytes.get())[i] = static_cast<int32_t>(std::exp(-0.02 * i) * 8388608.0);
  }
  op.output(Tensor(DType::kInt8, {rows, length}, 1.0f / 256, -128));
  op.run(state, kernels::create_int8_softmax);
}
BENCHMARK(softmax)->Args({1, 1000})->Args({588, 49});

}  // namespace
}  // namespace bantam::bench
