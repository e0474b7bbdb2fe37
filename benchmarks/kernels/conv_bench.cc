// The convolutions of ResNet-18 and MobileNetV2, float32, float16 and int8. `macs` is a rate, per second.
#include "bantam/kernels/kernel_table.h"
#include "bench_op.h"

namespace bantam::bench {
namespace {

using plan::DType;

struct Conv {
  const char* name;
  int32_t size, in, out, kernel, stride, groups;
};

constexpr Conv kConvs[] = {
    {"resnet18_stem", 224, 3, 64, 7, 2, 1},         {"resnet18_layer1", 56, 64, 64, 3, 1, 1},
    {"resnet18_layer2", 28, 128, 128, 3, 1, 1},     {"resnet18_layer3", 14, 256, 256, 3, 1, 1},
    {"resnet18_layer4", 7, 512, 512, 3, 1, 1},      {"resnet18_shortcut", 56, 64, 128, 1, 2, 1},
    {"mobilenet_v2_stem", 224, 3, 32, 3, 2, 1},     {"mobilenet_v2_expand", 56, 24, 144, 1, 1, 1},
    {"mobilenet_v2_project", 28, 192, 32, 1, 1, 1}, {"mobilenet_v2_last", 7, 320, 1280, 1, 1, 1},
    {"depthwise_112", 112, 32, 32, 3, 1, 32},       {"depthwise_112_s2", 112, 96, 96, 3, 2, 96},
    {"depthwise_56", 56, 144, 144, 3, 1, 144},      {"depthwise_56_s2", 56, 144, 144, 3, 2, 144},
    {"depthwise_14", 14, 384, 384, 3, 1, 384},      {"depthwise_14_5x5", 14, 480, 480, 5, 1, 480}};

void conv(benchmark::State& state, const Conv& c, DType dtype) {
  plan::OpT plan_op;
  plan_op.code = plan::OpCode::kConv2d;
  plan::Conv2dT attributes;
  attributes.stride_h = attributes.stride_w = c.stride;
  attributes.pad_top = attributes.pad_bottom = attributes.pad_left = attributes.pad_right = c.kernel / 2;
  attributes.groups = c.groups;
  attributes.clamp = std::make_unique<plan::Clamp>(0.0f, 6.0f, int8_t{0}, int8_t{127});
  plan_op.attributes.Set(std::move(attributes));
  const int32_t size = (c.size + 2 * (c.kernel / 2) - c.kernel) / c.stride + 1;
  BenchOp op(std::move(plan_op));
  op.input(Tensor(dtype, {1, c.size, c.size, c.in}));
  op.constant(Tensor(dtype, {c.out, c.kernel, c.kernel, c.in / c.groups}, 0.003f));
  op.constant(Tensor(dtype == DType::kInt8 ? DType::kInt32 : dtype, {c.out}));
  op.output(Tensor(dtype, {1, size, size, c.out}, 0.05f));
  op.run(state, kernels::kernel_table().create);
  const double macs = double(size) * size * c.out * c.kernel * c.kernel * (c.in / c.groups);
  state.counters["macs"] = benchmark::Counter(macs, benchmark::Counter::kIsIterationInvariantRate);
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const Conv& c : kConvs) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kInt8}) {
      const char* type = dtype == DType::kInt8 ? "/int8" : dtype == DType::kFloat16 ? "/float16" : "/float32";
      const std::string name = c.name + std::string(type);
      benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { conv(state, c, dtype); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace bantam::bench
