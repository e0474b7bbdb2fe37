#include "support/plan_builder.h"

#include <algorithm>

#include "hash64.h"

namespace bantam::test {
namespace {

size_t align_up(size_t value) { return (value + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment; }

size_t element_bytes(plan::DType dtype) {
  switch (dtype) {
    case plan::DType::kFloat32:
    case plan::DType::kInt32:
      return 4;
    case plan::DType::kFloat16:
      return 2;
    case plan::DType::kInt64:
      return 8;
    default:
      return 1;
  }
}

}  // namespace

int32_t PlanBuilder::add(const std::string& name, plan::DType dtype, const Shape& shape) {
  auto added = std::make_unique<plan::TensorT>();
  added->name = name;
  added->dtype = dtype;
  added->shape = shape;
  plan.tensors.push_back(std::move(added));
  return static_cast<int32_t>(plan.tensors.size()) - 1;
}

int32_t PlanBuilder::tensor(const std::string& name, plan::DType dtype, const Shape& shape) {
  const int32_t index = add(name, dtype, shape);
  size_t bytes = element_bytes(dtype);
  for (const int32_t dim : shape) bytes *= static_cast<size_t>(dim);
  (*this)[index].offset = plan.arena_bytes;
  plan.arena_bytes += align_up(bytes);
  return index;
}

int32_t PlanBuilder::input(const std::string& name, plan::DType dtype, const Shape& shape) {
  const int32_t index = tensor(name, dtype, shape);
  plan.inputs.push_back(index);
  return index;
}

int32_t PlanBuilder::view(const std::string& name, plan::DType dtype, const Shape& shape, int32_t base,
                          uint64_t offset, int32_t pixel_stride) {
  const int32_t index = add(name, dtype, shape);
  (*this)[index].base = base;
  (*this)[index].offset = offset;
  (*this)[index].pixel_stride = pixel_stride;
  return index;
}

int32_t PlanBuilder::add_constant(const std::string& name, plan::DType dtype, const Shape& shape,
                                  const void* data, size_t bytes) {
  const int32_t index = add(name, dtype, shape);
  (*this)[index].storage = plan::Storage::kWeights;
  (*this)[index].offset = align_up(weights_.size());
  weights_.resize(align_up(weights_.size()));
  const auto* begin = static_cast<const std::byte*>(data);
  weights_.insert(weights_.end(), begin, begin + bytes);
  return index;
}

int32_t PlanBuilder::add_without_zeros(const std::string& name, plan::DType dtype, const Shape& shape,
                                       std::span<const std::byte> values, size_t element) {
  const size_t count = values.size() / element;
  std::vector<std::byte> stored((count + 63) / 64 * 8);
  for (size_t i = 0; i < count; ++i) {
    const std::span<const std::byte> bytes = values.subspan(i * element, element);
    if (std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; })) continue;
    stored[i / 8] |= static_cast<std::byte>(1 << i % 8);
    stored.insert(stored.end(), bytes.begin(), bytes.end());
  }
  const int32_t index = add_constant(name, dtype, shape, stored.data(), stored.size());
  (*this)[index].encoding = plan::Encoding::kNoZeros;
  (*this)[index].stored_bytes = stored.size();
  return index;
}

void PlanBuilder::quantize(int32_t tensor, std::vector<float> scales, int32_t zero_point) {
  auto quantization = std::make_unique<plan::QuantizationT>();
  quantization->scales = std::move(scales);
  quantization->zero_point = zero_point;
  (*this)[tensor].quantization = std::move(quantization);
}

plan::OpT& PlanBuilder::op(plan::OpCode code, std::vector<int32_t> inputs, int32_t output,
                           const std::string& name) {
  auto added = std::make_unique<plan::OpT>();
  added->code = code;
  added->name = name;
  added->inputs = std::move(inputs);
  added->outputs = {output};
  plan.ops.push_back(std::move(added));
  return *plan.ops.back();
}

AlignedBytes PlanBuilder::file() const {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(plan::Plan::Pack(builder, &plan));
  return plan_file(builder.GetBufferPointer(), builder.GetSize(), weights_);
}

AlignedBytes plan_file(const void* metadata, size_t metadata_bytes, const std::vector<std::byte>& weights) {
  PlanHeader header = {};
  header.magic = kPlanMagic;
  header.major = kPlanMajor;
  header.minor = kPlanMinor;
  header.metadata_bytes = metadata_bytes;
  header.weights_offset = align_up(sizeof(header) + metadata_bytes);
  header.weights_bytes = weights.size();
  header.file_bytes = header.weights_offset + header.weights_bytes + kReadPadding;
  AlignedBytes file(header.file_bytes);
  std::memcpy(file.data(), &header, sizeof(header));
  std::memcpy(file.data() + sizeof(header), metadata, metadata_bytes);
  if (!weights.empty()) std::memcpy(file.data() + header.weights_offset, weights.data(), weights.size());
  seal(&file);
  return file;
}

void seal(AlignedBytes* file) {
  const uint64_t checksum = hash64(file->data() + sizeof(PlanHeader), file->size() - sizeof(PlanHeader));
  std::memcpy(file->data() + offsetof(PlanHeader, checksum), &checksum, sizeof(checksum));
}

}  // namespace bantam::test
