// A verified plan with its packed weights: immutable, and shared by the sessions and threads that hold it.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "bantam/runtime/kernel.h"
#include "bantam/runtime/loaded_plan.h"
#include "bantam/runtime/plan_source.h"
#include "bantam/runtime/weight_cache.h"
#include "golden_input.h"

namespace bantam {

class Model {
 public:
  // The new model has one holder. `kernels` must outlive it. `cache` is a directory where packed weights are
  // kept; null or empty for none. On failure *out is untouched.
  static Status from_file(const char* path, const KernelTable& kernels, Model** out,
                          const char* cache = nullptr);
  // See bantam_model_from_memory and bantam_model_from_fd.
  static Status from_memory(const void* data, size_t bytes, const KernelTable& kernels, Model** out,
                            const char* cache = nullptr);
  static Status from_fd(int fd, uint64_t offset, uint64_t length, const KernelTable& kernels, Model** out,
                        const char* cache = nullptr);

  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  void retain() { holders_.fetch_add(1, std::memory_order_relaxed); }
  void release();  // deletes the model when it was the last holder's

  const LoadedPlan& loaded() const { return loaded_; }
  const plan::Plan& plan() const { return *loaded_.plan; }
  const PlanSource& source() const { return source_; }
  // kIo when a mapped file has become too short to be read safely.
  Status check_intact() const;
  const KernelTable& kernels() const { return kernels_; }
  PackedWeights* packed() const { return packed_; }
  size_t packed_bytes() const { return kernels_.packed_bytes(packed_); }
  size_t cached_bytes() const { return cache_.bytes(); }

  // The range of golden data for input `index`.
  GoldenRange golden_range(int32_t index) const;

  // Keeps what the kernels of a session have packed, once, when the model has a cache that lacks it.
  void keep_packed(std::span<Kernel* const> kernels);

  // The weights are packed now: lets the system take back the pages of the mapping that hold the originals.
  void release_weight_pages() const;

 private:
  explicit Model(const KernelTable& kernels) : kernels_(kernels) {}
  ~Model();

  template <typename Open>
  static Status make(const KernelTable& kernels, Model** out, const char* cache, Open open);
  bool open_cache(const char* directory);
  std::span<const std::byte> file() const { return {source_.data(), source_.size()}; }

  const KernelTable& kernels_;
  PlanSource source_;
  LoadedPlan loaded_;
  WeightCache cache_;            // outlives packed_
  Array<char> cache_directory_;  // "" without one
  std::atomic<bool> kept_{false};
  PackedWeights* packed_ = nullptr;
  std::atomic<int32_t> holders_{1};
};

}  // namespace bantam
