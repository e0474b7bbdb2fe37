#include "bantam/runtime/model.h"

#include <new>

namespace bantam {

template <typename Open>
Status Model::make(const KernelTable& kernels, Model** out, Open open) {
  Model* model = new (std::nothrow) Model(kernels);
  if (model == nullptr) return Status(StatusCode::kOutOfMemory, "plan", "no memory for the model");
  Status status = open(&model->source_);
  if (status.ok()) status = load_plan(model->source_.data(), model->source_.size(), &model->loaded_);
  if (status.ok()) status = kernels.create_packed(&model->packed_);
  if (!status.ok()) {
    model->release();
    return status;
  }
  *out = model;
  return status;
}

Status Model::from_file(const char* path, const KernelTable& kernels, Model** out) {
  return make(kernels, out, [&](PlanSource* source) { return source->open_file(path); });
}

Status Model::from_memory(const void* data, size_t bytes, const KernelTable& kernels, Model** out) {
  return make(kernels, out, [&](PlanSource* source) { return source->open_memory(data, bytes); });
}

Status Model::from_fd(int fd, uint64_t offset, uint64_t length, const KernelTable& kernels, Model** out) {
  return make(kernels, out, [&](PlanSource* source) { return source->open_fd(fd, offset, length); });
}

Model::~Model() {
  if (packed_ != nullptr) kernels_.destroy_packed(packed_);
}

void Model::release() {
  if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

GoldenRange Model::golden_range(int32_t index) const {
  const int32_t tensor = loaded_.inputs()[static_cast<size_t>(index)];
  for (const OpContext& op : loaded_.ops) {
    if (op.op->code() != plan::OpCode::kQuantize) continue;
    const int32_t source = loaded_.tensor_index(op.inputs[0]);
    if (loaded_.places[static_cast<size_t>(source)].root != tensor) continue;
    return {op.output().scale(), op.output().zero_point};
  }
  return {};
}

void Model::release_weight_pages() const {
  source_.release_pages(static_cast<size_t>(loaded_.header.weights_offset),
                        static_cast<size_t>(loaded_.header.weights_bytes));
}

}  // namespace bantam
