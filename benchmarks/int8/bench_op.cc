#include "bench_op.h"

#include <algorithm>
#include <random>

namespace bantam::bench {

Tensor::Tensor(plan::DType dtype, std::vector<int32_t> dims, float scale, int32_t zero_point)
    : scales{scale} {
  info.dtype = dtype;
  info.rank = static_cast<int32_t>(dims.size());
  std::copy(dims.begin(), dims.end(), info.dims);
  for (const int32_t dim : dims) info.elements *= dim;
  info.pixel_stride = dims.empty() ? 1 : dims.back();
  info.bytes = static_cast<size_t>(info.elements) * element_size(dtype);
  info.scale_count = 1;
  info.zero_point = zero_point;
  bytes = hwy::AllocateAligned<uint8_t>(info.bytes + kReadPadding);
  std::mt19937 random(1);
  if (dtype == plan::DType::kFloat32) {
    auto* floats = reinterpret_cast<float*>(bytes.get());
    for (int64_t i = 0; i < info.elements; ++i) floats[i] = static_cast<float>(random() % 4096) / 512 - 4;
  } else if (dtype == plan::DType::kFloat16) {
    auto* halves = reinterpret_cast<uint16_t*>(bytes.get());
    for (int64_t i = 0; i < info.elements; ++i) halves[i] = 0x3400 | (random() & 0x83ff);  // 0.25 to 0.5, +-
  } else {
    for (size_t i = 0; i < info.bytes; ++i) bytes[i] = static_cast<uint8_t>(random());
  }
}

BenchOp::BenchOp(plan::OpT op) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(plan::Op::Pack(builder, &op));
  op_.assign(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
}

Tensor& BenchOp::input(Tensor tensor) {
  return *inputs_.emplace_back(std::make_unique<Tensor>(std::move(tensor)));
}

Tensor& BenchOp::constant(Tensor tensor) {
  Tensor& added = input(std::move(tensor));
  added.info.data = added.bytes.get();
  return added;
}

Tensor& BenchOp::output(Tensor tensor) {
  return *outputs_.emplace_back(std::make_unique<Tensor>(std::move(tensor)));
}

void BenchOp::run(benchmark::State& state, Status (*factory)(const OpContext&, Kernel**)) {
  std::vector<const TensorInfo*> in_infos, out_infos;
  std::vector<const void*> in;
  std::vector<void*> out;
  for (auto& tensor : inputs_) {
    tensor->info.scales = tensor->scales.data();
    in_infos.push_back(&tensor->info);
    in.push_back(tensor->bytes.get());
  }
  for (auto& tensor : outputs_) {
    tensor->info.scales = tensor->scales.data();
    out_infos.push_back(&tensor->info);
    out.push_back(tensor->bytes.get());
  }
  OpContext context;
  context.op = flatbuffers::GetRoot<plan::Op>(op_.data());
  context.inputs = in_infos.data();
  context.input_count = static_cast<int32_t>(in_infos.size());
  context.outputs = out_infos.data();
  context.output_count = static_cast<int32_t>(out_infos.size());
  context.float16 = in_infos[0]->dtype == plan::DType::kFloat16;
  Kernel* made = nullptr;
  if (const Status status = factory(context, &made); !status.ok()) {
    state.SkipWithError(status.what());
    return;
  }
  const std::unique_ptr<Kernel> kernel(made);
  auto workspace = hwy::AllocateAligned<uint8_t>(kernel->workspace_bytes() + 1);
  RunContext run_context;
  run_context.inputs = in.data();
  run_context.outputs = out.data();
  run_context.workspace = workspace.get();
  for (auto _ : state) {
    if (!kernel->run(run_context).ok()) state.SkipWithError("run failed");
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * out_infos[0]->elements);
}

}  // namespace bantam::bench
