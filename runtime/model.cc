#include "bantam/runtime/model.h"

#include <cstring>
#include <new>

#include "unread_constants.h"

namespace bantam {

template <typename Open>
Status Model::make(const KernelTable& kernels, Model** out, const char* cache, Open open) {
  Model* model = new (std::nothrow) Model(kernels);
  if (model == nullptr) return Status(StatusCode::kOutOfMemory, "plan", "no memory for the model");
  Status status = open(&model->source_);
  const bool cached = status.ok() && cache != nullptr && *cache != '\0' && model->open_cache(cache);
  if (status.ok()) status = load_plan(model->source_.data(), model->source_.size(), &model->loaded_, cached);
  if (status.ok()) choose_float16(kernels, &model->loaded_);
  if (status.ok()) status = kernels.create_packed(&model->packed_);
  if (!status.ok()) {
    model->release();
    return status;
  }
  if (cached) kernels.lend_packed(model->packed_, model->cache_.entries());
  *out = model;
  return status;
}

Status Model::from_file(const char* path, const KernelTable& kernels, Model** out, const char* cache) {
  return make(kernels, out, cache, [&](PlanSource* source) { return source->open_file(path); });
}

Status Model::from_memory(const void* data, size_t bytes, const KernelTable& kernels, Model** out,
                          const char* cache) {
  return make(kernels, out, cache, [&](PlanSource* source) { return source->open_memory(data, bytes); });
}

Status Model::from_fd(int fd, uint64_t offset, uint64_t length, const KernelTable& kernels, Model** out,
                      const char* cache) {
  return make(kernels, out, cache, [&](PlanSource* source) { return source->open_fd(fd, offset, length); });
}

Model::~Model() {
  if (packed_ != nullptr) kernels_.destroy_packed(packed_);
}

void Model::release() {
  if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

Status Model::check_intact() const {
  BANTAM_RETURN_IF_ERROR(source_.check_intact());
  return cache_.check_intact();
}

// Without memory for its name there is no cache.
bool Model::open_cache(const char* directory) {
  const size_t length = std::strlen(directory);
  if (!cache_directory_.allocate(length + 1)) return false;
  std::memcpy(cache_directory_.data(), directory, length);
  return cache_.open(directory, file(), kernels_.packing_id());
}

void Model::keep_packed(std::span<Kernel* const> kernels) {
  if (cache_directory_.size() == 0 || cache_.is_open() || kept_.exchange(true)) return;
  Array<PackedEntry> entries;
  Array<CacheRange> ranges;
  size_t range_count = 0;
  if (!entries.allocate(kernels_.list_packed(packed_, nullptr, 0)) || entries.size() == 0 ||
      !unread_constants(loaded_, file(), kernels, &ranges, &range_count)) {
    return;
  }
  const size_t count =
      std::min(kernels_.list_packed(packed_, entries.data(), entries.size()), entries.size());
  write_weight_cache(cache_directory_.data(),
                     {file(), kernels_.packing_id(), {ranges.data(), range_count}, {entries.data(), count}});
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
