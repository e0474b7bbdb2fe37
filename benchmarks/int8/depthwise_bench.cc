// The depthwise layers of MobileNetV2 (224 x 224) and the 5x5 ones of MobileNetV3 and EfficientNet, against
// XNNPACK.
#include <xnnpack.h>

#include "bench_op.h"
#include "int8/int8_kernels.h"

namespace bantam::bench {
namespace {

using plan::DType;

struct Layer {
  int32_t size, channels, kernel, stride;

  int32_t out_size() const { return (size - 1) / stride + 1; }
};

constexpr Layer kLayers[] = {
    {112, 32, 3, 1}, {112, 96, 3, 2}, {56, 144, 3, 1}, {56, 144, 3, 2}, {28, 192, 3, 1},
    {28, 192, 3, 2}, {14, 384, 3, 1}, {14, 576, 3, 1}, {14, 576, 3, 2}, {7, 960, 3, 1},
    {28, 240, 5, 1}, {56, 144, 5, 2}, {14, 672, 5, 1}, {14, 672, 5, 2}, {7, 1152, 5, 1},
};

void ours(benchmark::State& state) {
  const Layer& layer = kLayers[state.range(0)];
  plan::OpT plan_op;
  plan_op.code = plan::OpCode::kConv2d;
  plan::Conv2dT conv;
  conv.stride_h = conv.stride_w = layer.stride;
  conv.groups = layer.channels;
  conv.pad_top = conv.pad_bottom = conv.pad_left = conv.pad_right = layer.kernel / 2;
  plan_op.attributes.Set(std::move(conv));
  BenchOp op(std::move(plan_op));
  op.input(Tensor(DType::kInt8, {1, layer.size, layer.size, layer.channels}));
  op.constant(Tensor(DType::kInt8, {layer.channels, layer.kernel, layer.kernel, 1}));
  op.output(Tensor(DType::kInt8, {1, layer.out_size(), layer.out_size(), layer.channels}));
  op.run(state, kernels::create_int8_depthwise);
}

void xnnpack(benchmark::State& state) {
  const Layer& layer = kLayers[state.range(0)];
  const auto pad = static_cast<uint32_t>(layer.kernel / 2), kernel = static_cast<uint32_t>(layer.kernel);
  const auto stride = static_cast<uint32_t>(layer.stride);
  const auto channels = static_cast<size_t>(layer.channels), size = static_cast<size_t>(layer.size);
  xnn_initialize(nullptr);
  const Tensor x(DType::kInt8, {1, layer.size, layer.size, layer.channels});
  const Tensor w(DType::kInt8, {layer.channels, layer.kernel, layer.kernel, 1});
  Tensor y(DType::kInt8, {1, layer.out_size(), layer.out_size(), layer.channels});
  const std::vector<float> scales(channels, 0.02f);
  xnn_operator_t op = nullptr;
  xnn_create_convolution2d_nhwc_qs8_qc8w(pad, pad, pad, pad, kernel, kernel, stride, stride, 1, 1,
                                         static_cast<uint32_t>(layer.channels), 1, 1, channels, channels, 0,
                                         0.02f, scales.data(), reinterpret_cast<const int8_t*>(w.bytes.get()),
                                         nullptr, 0, 0.02f, -128, 127, 0, nullptr, nullptr, &op);
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
    const std::string name = "depthwise/" + std::to_string(layer.size) + "x" +
                             std::to_string(layer.channels) + "_k" + std::to_string(layer.kernel) + "_s" +
                             std::to_string(layer.stride);
    benchmark::RegisterBenchmark((name + "/ours").c_str(), ours)->Arg(i);
    benchmark::RegisterBenchmark((name + "/xnnpack").c_str(), xnnpack)->Arg(i);
  }
  return 0;
}();

}  // namespace
}  // namespace bantam::bench
