#include "packed_weights.h"

#include <cstring>
#include <new>

#include "plan_format.h"

namespace bantam {

// Lies before the bytes it manages.
struct alignas(kTensorAlignment) PackedWeights::Block {
  Block* next = nullptr;
  Key key;
  size_t size = 0;

  void* data() { return this + 1; }
  static Block* of(void* data) { return static_cast<Block*>(data) - 1; }
};

namespace {

void free_block(void* block) { ::operator delete (block, std::align_val_t{kTensorAlignment}); }

}  // namespace

PackedWeights::~PackedWeights() {
  while (blocks_ != nullptr) {
    Block* next = blocks_->next;
    free_block(blocks_);
    blocks_ = next;
  }
}

void* PackedWeights::find(const Key& key) {
  const std::lock_guard lock(mutex_);
  for (Block* block = blocks_; block != nullptr; block = block->next) {
    if (block->key == key) return block->data();
  }
  return nullptr;
}

void* PackedWeights::reserve(size_t size) {
  if (size > SIZE_MAX - sizeof(Block) - kReadPadding) return nullptr;
  void* memory =
      ::operator new (sizeof(Block) + size + kReadPadding, std::align_val_t{kTensorAlignment}, std::nothrow);
  if (memory == nullptr) return nullptr;
  Block* block = new (memory) Block;
  block->size = size;
  std::memset(static_cast<char*>(block->data()) + size, 0, kReadPadding);
  return block->data();
}

void* PackedWeights::insert(const Key& key, void* block) {
  Block* added = Block::of(block);
  added->key = key;
  {
    const std::lock_guard lock(mutex_);
    Block* present = blocks_;
    while (present != nullptr && !(present->key == key)) present = present->next;
    if (present == nullptr) {
      added->next = blocks_;
      blocks_ = added;
      bytes_ += added->size;
      return block;
    }
    block = present->data();
  }
  free_block(added);
  return block;
}

void PackedWeights::release(void* block) {
  if (block != nullptr) free_block(Block::of(block));
}

size_t PackedWeights::bytes() {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace bantam

namespace bantam::kernels {

Status create_packed(PackedWeights** out) {
  *out = new (std::nothrow) PackedWeights;
  return *out == nullptr ? Status(StatusCode::kOutOfMemory, "packed weights", "out of memory") : ok_status();
}

void destroy_packed(PackedWeights* packed) { delete packed; }

size_t packed_bytes(const PackedWeights* packed) { return const_cast<PackedWeights*>(packed)->bytes(); }

// XNNPACK calls look_up (not always), and if that fails reserve_space, packs, and calls look_up_or_insert.
// What it calls an offset is an address here.
void XnnPackedWeights::init(PackedWeights* packed, const void* owner, const void* kernel, const void* bias) {
  packed_ = packed;
  owner_ = owner;
  kernel_ = kernel;
  bias_ = bias;
  provider_.context = this;
  provider_.look_up = [](void* context, const xnn_weights_cache_look_up_key* key) -> size_t {
    void* found = self(context).packed_->find(self(context).key(key->seed));
    return found == nullptr ? SIZE_MAX : reinterpret_cast<size_t>(found);
  };
  provider_.reserve_space = [](void* context, size_t size) -> void* {
    self(context).packed_->release(self(context).reserved_);
    return self(context).reserved_ = self(context).packed_->reserve(size);
  };
  provider_.look_up_or_insert = [](void* context, const xnn_weights_cache_look_up_key* key, void* block,
                                   size_t) -> size_t {
    XnnPackedWeights& view = self(context);
    if (block == nullptr) return reinterpret_cast<size_t>(view.packed_->find(view.key(key->seed)));
    view.reserved_ = nullptr;
    return reinterpret_cast<size_t>(view.packed_->insert(view.key(key->seed), block));
  };
  provider_.is_finalized = [](void*) { return true; };
  provider_.offset_to_addr = [](void*, size_t offset) { return reinterpret_cast<void*>(offset); };
  provider_.delete_cache = [](void*) { return xnn_status_success; };
}

XnnPackedWeights::~XnnPackedWeights() {
  if (packed_ != nullptr) packed_->release(reserved_);
}

}  // namespace bantam::kernels
