// Convolutions of ResNet-18 and MobileNetV2 (224 x 224), against XNNPACK.
#include <xnnpack.h>

#include "bench_op.h"
#include "int8/int8_kernels.h"

namespace bantam::bench {
namespace {

using plan::DType;

struct Layer {
  int32_t size, in_channels, out_channels, kernel;
};

constexpr Layer kLayers[] = {
    {56, 64, 64, 3},  {28, 128, 128, 3}, {14, 256, 256, 3}, {7, 512, 512, 3}, {112, 32, 16, 1},
    {112, 16, 96, 1}, {56, 144, 24, 1},  {28, 32, 192, 1},  {14, 96, 576, 1}, {7, 960, 160, 1},
};

void ours(benchmark::State& state) {
  const Layer& layer = kLayers[state.range(0)];
  plan::OpT plan_op;
  plan_op.code = plan::OpCode::kConv2d;
  plan::Conv2dT conv;
  conv.pad_top = conv.pad_bottom = conv.pad_left = conv.pad_right = layer.kernel / 2;
  plan_op.attributes.Set(std::move(conv));
  BenchOp op(std::move(plan_op));
  op.input(Tensor(DType::kInt8, {1, layer.size, layer.size, layer.in_channels}));
  op.constant(Tensor(DType::kInt8, {layer.out_channels, layer.kernel, layer.kernel, layer.in_channels}));
  op.output(Tensor(DType::kInt8, {1, layer.size, layer.size, layer.out_channels}));
  op.run(state, kernels::create_int8_conv2d);
}

void xnnpack(benchmark::State& state) {
  const Layer& layer = kLayers[state.range(0)];
  const auto pad = static_cast<uint32_t>(layer.kernel / 2), kernel = static_cast<uint32_t>(layer.kernel);
  const auto in = static_cast<size_t>(layer.in_channels), out = static_cast<size_t>(layer.out_channels);
  const auto size = static_cast<size_t>(layer.size);
  xnn_initialize(nullptr);
  const Tensor x(DType::kInt8, {1, layer.size, layer.size, layer.in_channels});
  const Tensor w(DType::kInt8, {layer.out_channels, layer.kernel, layer.kernel, layer.in_channels});
  Tensor y(DType::kInt8, {1, layer.size, layer.size, layer.out_channels});
  const std::vector<float> scales(out, 0.02f);
  xnn_operator_t op = nullptr;
  xnn_create_convolution2d_nhwc_qs8_qc8w(
      pad, pad, pad, pad, kernel, kernel, 1, 1, 1, 1, 1, in, out, in, out, 0, 0.02f, scales.data(),
      reinterpret_cast<const int8_t*>(w.bytes.get()), nullptr, 0, 0.02f, -128, 127, 0, nullptr, nullptr, &op);
  size_t workspace = 0, alignment = 0;
  xnn_reshape_convolution2d_nhwc_qs8_qc8w(op, 1, size, size, &workspace, &alignment, nullptr, nullptr,
                                          nullptr);
  std::vector<uint8_t> scratch(workspace + 1);
  xnn_setup_convolution2d_nhwc_qs8_qc8w(op, scratch.data(), reinterpret_cast<const int8_t*>(x.bytes.get()),
                                        reinterpret_cast<int8_t*>(y.bytes.get()));
  for (auto _ : state) xnn_run_operator(op, nullptr);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * y.info.elements);
  xnn_delete_operator(op);
}

const int registered = [] {
  for (int64_t i = 0; i < static_cast<int64_t>(std::size(kLayers)); ++i) {
    const Layer& layer = kLayers[i];
    const std::string name = "conv/" + std::to_string(layer.size) + "x" + std::to_string(layer.in_channels) +
                             "x" + std::to_string(layer.out_channels) + "_k" + std::to_string(layer.kernel);
    benchmark::RegisterBenchmark((name + "/ours").c_str(), ours)->Arg(i);
    benchmark::RegisterBenchmark((name + "/xnnpack").c_str(), xnnpack)->Arg(i);
  }
  return 0;
}();

}  // namespace
}  // namespace bantam::bench
