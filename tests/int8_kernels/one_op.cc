#include "one_op.h"

#include <algorithm>

#include "int8/highway_targets.h"

#include "hwy/targets.h"

namespace bantam::test {

Tensor::Tensor(plan::DType dtype, std::vector<int32_t> dims, std::vector<float> scales_, int32_t zero_point,
               int32_t pixel_stride)
    : scales(std::move(scales_)) {
  info.dtype = dtype;
  info.rank = static_cast<int32_t>(dims.size());
  std::copy(dims.begin(), dims.end(), info.dims);
  for (int32_t dim : dims) info.elements *= dim;
  const int32_t row = dims.empty() ? 1 : dims.back();
  info.pixel_stride = pixel_stride == 0 ? row : pixel_stride;
  const int64_t rows = row == 0 ? 0 : info.elements / row;
  const int64_t reach = rows == 0 ? 0 : (rows - 1) * info.pixel_stride + row;
  info.bytes = static_cast<size_t>(reach) * element_size(dtype);
  info.scale_count = static_cast<int32_t>(scales.size());
  info.zero_point = zero_point;
  bytes.resize(info.bytes + kReadPadding);
}

Tensor int8_tensor(std::vector<int32_t> dims, float scale, int32_t zero_point, int32_t pixel_stride) {
  return Tensor(plan::DType::kInt8, std::move(dims), {scale}, zero_point, pixel_stride);
}

Tensor float_tensor(std::vector<int32_t> dims) { return Tensor(plan::DType::kFloat32, std::move(dims)); }

void randomize(Tensor& tensor, uint32_t seed) {
  std::mt19937 random(seed);
  for (uint8_t& byte : tensor.bytes) {
    const uint32_t value = random();
    byte = value % 16 == 0 ? 0x80 : value % 16 == 1 ? 0x7f : static_cast<uint8_t>(value >> 8);
  }
}

Status OneOp::create(Factory factory, std::unique_ptr<Kernel>& kernel, ThreadPool* threads) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(plan::Op::Pack(builder, &op));
  packed_op_.assign(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
  const auto infos = [](const std::vector<Tensor*>& tensors) {
    std::vector<const TensorInfo*> list;
    for (Tensor* tensor : tensors) {
      if (tensor != nullptr) {
        tensor->info.scales = tensor->scales.data();
        tensor->info.data = tensor->is_constant ? tensor->bytes.data() : nullptr;
      }
      list.push_back(tensor == nullptr ? nullptr : &tensor->info);
    }
    return list;
  };
  const auto input_infos = infos(inputs), output_infos = infos(outputs);
  OpContext context;
  context.op = flatbuffers::GetRoot<plan::Op>(packed_op_.data());
  context.inputs = input_infos.data();
  context.input_count = static_cast<int32_t>(input_infos.size());
  context.outputs = output_infos.data();
  context.output_count = static_cast<int32_t>(output_infos.size());
  context.threads = threads;
  context.float16 = float16;
  Kernel* made = nullptr;
  const Status status = factory(context, &made);
  kernel.reset(made);
  return status;
}

Status OneOp::run(Factory factory, ThreadPool* threads) {
  std::unique_ptr<Kernel> kernel;
  BANTAM_RETURN_IF_ERROR(create(factory, kernel, threads));
  std::vector<const void*> in;
  std::vector<void*> out;
  for (Tensor* tensor : inputs) in.push_back(tensor == nullptr ? nullptr : tensor->bytes.data());
  for (Tensor* tensor : outputs) {
    std::fill(tensor->bytes.begin(), tensor->bytes.end(), uint8_t{0x5a});
    out.push_back(tensor->bytes.data());
  }
  auto workspace = hwy::AllocateAligned<uint8_t>(kernel->workspace_bytes() + 1);
  RunContext context;
  context.inputs = in.data();
  context.outputs = out.data();
  context.workspace = workspace.get();
  context.threads = threads;
  BANTAM_RETURN_IF_ERROR(kernel->run(context));
  for (Tensor* tensor : outputs) {  // nothing may be written behind the end, nor between the pixels of a view
    const size_t size = element_size(tensor->info.dtype);
    const auto row =
        static_cast<size_t>(tensor->info.rank == 0 ? 1 : tensor->info.dims[tensor->info.rank - 1]) * size;
    const size_t stride = static_cast<size_t>(tensor->info.pixel_stride) * size;
    for (size_t i = 0; i < tensor->bytes.size(); ++i) {
      const bool inside = i < tensor->info.bytes && (stride == 0 || i % stride < row);
      if (!inside && tensor->bytes[i] != 0x5a)
        return Status(StatusCode::kInternal, "output", "written out of bounds");
    }
  }
  return ok_status();
}

void for_each_target(const std::function<void()>& body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

ThreadPool* shared_threads() {
  static const std::unique_ptr<ThreadPool, void (*)(ThreadPool*)> threads = [] {
    ThreadPool* made = nullptr;
    REQUIRE(kernels::create_threads(3, &made).ok());
    return std::unique_ptr<ThreadPool, void (*)(ThreadPool*)>(made, kernels::destroy_threads);
  }();
  return threads.get();
}

const char* target_name() { return hwy::TargetName(hwy::SupportedTargets() & -hwy::SupportedTargets()); }

}  // namespace bantam::test
