// Weights in the layout that this CPU's kernels want, made once and shared by the sessions of a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#include <xnnpack.h>

#include "bantam/runtime/kernel.h"
#include "kernel_support.h"
#include "packing_memory.h"

namespace bantam {

// Every entry is found by its key: a block of its own, or one that was packed earlier and lent. Thread-safe.
struct PackedWeights {
 public:
  // What an op packs depends on its quantization and attributes too, so two ops that use the same constant
  // never share an entry. The same op in another session finds the same one.
  struct Key {
    int32_t op = 0;     // OpContext::index
    int32_t part = 0;   // of the op's weights
    uint32_t seed = 0;  // says which layout it is

    bool operator==(const Key&) const = default;
  };

  PackedWeights() = default;
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;

  // Before any other use.
  void lend(std::span<const PackedEntry> entries) { lent_ = entries; }

  // The entry's bytes, or null.
  const void* find(const Key& key);
  // A block of `size` bytes, aligned to kTensorAlignment and followed by kReadPadding zero bytes, to be
  // filled and then given to insert() or release(). Null when memory is short.
  void* reserve(size_t size);
  // Files a reserved block under `key` and returns it; if there is an entry of that key, releases the block
  // and returns that one.
  const void* insert(const Key& key, void* block);
  void release(void* block);

  // Those that were not lent.
  size_t bytes();
  size_t list(PackedEntry* out, size_t capacity);

 private:
  struct Block;

  const void* find_lent(const Key& key) const;

  std::span<const PackedEntry> lent_;
  std::mutex mutex_;
  kernels::PackingMemory memory_;
  Block* blocks_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace bantam

namespace bantam::kernels {

Status create_packed(PackedWeights** out);
void destroy_packed(PackedWeights* packed);
size_t packed_bytes(const PackedWeights* packed);
void lend_packed(PackedWeights* packed, std::span<const PackedEntry> entries);
size_t list_packed(PackedWeights* packed, PackedEntry* out, size_t capacity);

// What one of our own kernels packs for an op, or for a part of it: in the model's store or, without one,
// here.
class OpWeights {
 public:
  // Packs unless the store has them: `Status pack(void* block)` fills `bytes` bytes.
  template <typename Pack>
  Status load(const OpContext& context, int32_t part, uint32_t seed, size_t bytes, const Pack& pack) {
    shared_ = context.packed != nullptr;
    PackedWeights& store = shared_ ? *context.packed : own_;
    const PackedWeights::Key key = {context.index, part, seed};
    data_ = store.find(key);
    if (data_ != nullptr) return ok_status();
    void* block = store.reserve(bytes);
    if (block == nullptr) return out_of_memory(context);
    if (Status status = pack(block); !status.ok()) {
      store.release(block);
      return status;
    }
    data_ = store.insert(key, block);
    return ok_status();
  }

  template <typename T>
  const T* as() const {
    return static_cast<const T*>(data_);
  }
  // Kernel::reads_constants and what counts for Kernel::state_bytes.
  bool reads_constants() const { return !shared_; }
  size_t own_bytes() const { return const_cast<PackedWeights&>(own_).bytes(); }

 private:
  const void* data_ = nullptr;
  bool shared_ = false;
  PackedWeights own_;
};

// The store as XNNPACK wants to see it while it makes the operator of one op, or of a part of it. Must live
// as long as the operator.
class XnnPackedWeights {
 public:
  void init(const OpContext& context, int32_t part = 0);
  ~XnnPackedWeights();
  xnn_weights_cache_t get() { return packed_ == nullptr ? nullptr : &provider_; }

  // Whether XNNPACK reads the weights that it is given although there are packed ones.
  bool reads_constants() const { return packed_ == nullptr || packs_unasked_; }

 private:
  static XnnPackedWeights& self(void* context) { return *static_cast<XnnPackedWeights*>(context); }
  PackedWeights::Key key(uint32_t seed) const { return {op_, part_, seed ^ type_}; }

  xnn_weights_cache_provider provider_ = {};
  PackedWeights* packed_ = nullptr;
  int32_t op_ = 0;
  int32_t part_ = 0;
  uint32_t type_ = 0;   // of the numbers, which XNNPACK's seeds do not tell
  bool asked_ = false;  // looked for an entry before it packed
  bool packs_unasked_ = false;
  void* reserved_ = nullptr;  // not inserted yet
};

}  // namespace bantam::kernels
