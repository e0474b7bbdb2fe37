#include <xnnpack.h>

#include "bench_op.h"
#include "int8/int8_kernels.h"

namespace bantam::bench {
namespace {

using plan::DType;
using plan::OpCode;

constexpr int32_t kElements = 200704;  // 56 x 56 x 64

plan::OpT make_op(OpCode code) {
  plan::OpT op;
  op.code = code;
  return op;
}

void lookup(benchmark::State& state) {
  BenchOp op(make_op(OpCode::kLookup));
  op.input(Tensor(DType::kInt8, {kElements}));
  op.constant(Tensor(DType::kInt8, {256}));
  op.output(Tensor(DType::kInt8, {kElements}));
  op.run(state, kernels::create_lookup);
}
BENCHMARK(lookup);

void quantize(benchmark::State& state) {
  BenchOp op(make_op(OpCode::kQuantize));
  op.input(Tensor(DType::kFloat32, {kElements}));
  op.output(Tensor(DType::kInt8, {kElements}));
  op.run(state, kernels::create_quantize);
}
BENCHMARK(quantize);

void dequantize(benchmark::State& state) {
  BenchOp op(make_op(OpCode::kDequantize));
  op.input(Tensor(DType::kInt8, {kElements}));
  op.output(Tensor(DType::kFloat32, {kElements}));
  op.run(state, kernels::create_dequantize);
}
BENCHMARK(dequantize);

void normalize_image(benchmark::State& state) {
  const auto channels = static_cast<int32_t>(state.range(0));
  BenchOp op(make_op(OpCode::kNormalizeImage));
  op.input(Tensor(DType::kUInt8, {1, 224, 224, channels}));
  op.constant(Tensor(DType::kInt8, {channels, 256}));
  op.output(Tensor(DType::kInt8, {1, 224, 224, channels}));
  op.run(state, kernels::create_normalize_image);
}
BENCHMARK(normalize_image)->Arg(1)->Arg(3)->Arg(4);

void binary(benchmark::State& state, plan::BinaryKind kind, bool excite,
            plan::SumRounding rounding = plan::SumRounding::kFast) {
  plan::OpT plan_op = make_op(OpCode::kBinary);
  plan::BinaryT attributes;
  attributes.kind = kind;
  attributes.rounding = rounding;
  plan_op.attributes.Set(std::move(attributes));
  BenchOp op(std::move(plan_op));
  op.input(Tensor(DType::kInt8, {1, 56, 56, 64}));
  op.input(
      Tensor(DType::kInt8, excite ? std::vector<int32_t>{1, 1, 1, 64} : std::vector<int32_t>{1, 56, 56, 64}));
  op.output(Tensor(DType::kInt8, {1, 56, 56, 64}));
  op.run(state, kernels::create_int8_binary);
}
BENCHMARK_CAPTURE(binary, mul, plan::BinaryKind::kMul, false);
BENCHMARK_CAPTURE(binary, mul_excite, plan::BinaryKind::kMul, true);
BENCHMARK_CAPTURE(binary, add, plan::BinaryKind::kAdd, false);
BENCHMARK_CAPTURE(binary, onnx_add, plan::BinaryKind::kAdd, false, plan::SumRounding::kOnnxUInt8);
BENCHMARK_CAPTURE(binary, min, plan::BinaryKind::kMin, false);

void xnnpack_binary(benchmark::State& state, xnn_binary_operator kind) {
  xnn_initialize(nullptr);
  const xnn_quantization_params quantization = {0, 0.02f};
  xnn_operator_t op = nullptr;
  xnn_create_binary_elementwise_nd(kind, xnn_datatype_qint8, &quantization, &quantization, &quantization, 0,
                                   &op);
  const size_t dims[] = {56, 56, 64};
  const Tensor a(DType::kInt8, {kElements}), b(DType::kInt8, {kElements});
  Tensor y(DType::kInt8, {kElements});
  xnn_reshape_binary_elementwise_nd(op, 3, dims, 3, dims, nullptr);
  xnn_setup_binary_elementwise_nd(op, a.bytes.get(), b.bytes.get(), y.bytes.get());
  for (auto _ : state) xnn_run_operator(op, nullptr);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * kElements);
  xnn_delete_operator(op);
}
BENCHMARK_CAPTURE(xnnpack_binary, add, xnn_binary_add);
BENCHMARK_CAPTURE(xnnpack_binary, mul, xnn_binary_multiply);

}  // namespace
}  // namespace bantam::bench
