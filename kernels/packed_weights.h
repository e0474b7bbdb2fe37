// Weights in the layout that this CPU's kernels want, made once and shared by the sessions of a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include <xnnpack.h>

#include "bantam/runtime/kernel.h"

namespace bantam {

// Every entry is a block of its own, found by its key. Thread-safe.
struct PackedWeights {
 public:
  // `owner` is the plan's op: what an op packs depends on its quantization and attributes too, so two ops
  // that use the same constant never share an entry. The same op in another session finds the same one.
  struct Key {
    const void* owner = nullptr;
    const void* kernel = nullptr;
    const void* bias = nullptr;
    uint32_t seed = 0;

    bool operator==(const Key&) const = default;
  };

  PackedWeights() = default;
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;
  ~PackedWeights();

  // The entry's bytes, or null.
  void* find(const Key& key);
  // A block of `size` bytes, aligned to kTensorAlignment and followed by kReadPadding zero bytes, to be
  // filled and then given to insert() or release(). Null when memory is short.
  void* reserve(size_t size);
  // Files a reserved block under `key` and returns it; if the key was filed meanwhile, releases it and
  // returns that one.
  void* insert(const Key& key, void* block);
  void release(void* block);

  size_t bytes();

 private:
  struct Block;

  std::mutex mutex_;
  Block* blocks_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace bantam

namespace bantam::kernels {

Status create_packed(PackedWeights** out);
void destroy_packed(PackedWeights* packed);
size_t packed_bytes(const PackedWeights* packed);

// The store as XNNPACK wants to see it while it makes the operator of one op. `kernel` and `bias` are the
// plan's constants, which XNNPACK may have been given in converted form. Must live as long as the operator.
class XnnPackedWeights {
 public:
  void init(PackedWeights* packed, const void* owner, const void* kernel, const void* bias);
  ~XnnPackedWeights();
  xnn_weights_cache_t get() { return packed_ == nullptr ? nullptr : &provider_; }

 private:
  static XnnPackedWeights& self(void* context) { return *static_cast<XnnPackedWeights*>(context); }
  PackedWeights::Key key(uint32_t seed) const { return {owner_, kernel_, bias_, seed}; }

  xnn_weights_cache_provider provider_ = {};
  PackedWeights* packed_ = nullptr;
  const void* owner_ = nullptr;
  const void* kernel_ = nullptr;
  const void* bias_ = nullptr;
  void* reserved_ = nullptr;  // not inserted yet
};

}  // namespace bantam::kernels
