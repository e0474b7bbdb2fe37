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

const void* PackedWeights::find_lent(const Key& key) const {
  for (const PackedEntry& entry : lent_) {
    if (Key{entry.op, entry.part, entry.seed} == key) return entry.data;
  }
  return nullptr;
}

const void* PackedWeights::find(const Key& key) {
  if (const void* lent = find_lent(key)) return lent;
  const std::lock_guard lock(mutex_);
  for (Block* block = blocks_; block != nullptr; block = block->next) {
    if (block->key == key) return block->data();
  }
  return nullptr;
}

void* PackedWeights::reserve(size_t size) {
  if (size > SIZE_MAX - sizeof(Block) - kReadPadding) return nullptr;
  void* memory = nullptr;
  {
    const std::lock_guard lock(mutex_);
    memory = memory_.allocate(sizeof(Block) + size + kReadPadding);
  }
  if (memory == nullptr) return nullptr;
  Block* block = new (memory) Block;
  block->size = size;
  std::memset(static_cast<char*>(block->data()) + size, 0, kReadPadding);
  return block->data();
}

const void* PackedWeights::insert(const Key& key, void* block) {
  Block* added = Block::of(block);
  added->key = key;
  const void* found = find_lent(key);
  if (found == nullptr) {
    const std::lock_guard lock(mutex_);
    Block* present = blocks_;
    while (present != nullptr && !(present->key == key)) present = present->next;
    if (present == nullptr) {
      added->next = blocks_;
      blocks_ = added;
      bytes_ += added->size;
      return block;
    }
    found = present->data();
  }
  release(block);
  return found;
}

void PackedWeights::release(void* block) {
  if (block == nullptr) return;
  const std::lock_guard lock(mutex_);
  memory_.release(Block::of(block));
}

size_t PackedWeights::bytes() {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

size_t PackedWeights::list(PackedEntry* out, size_t capacity) {
  const std::lock_guard lock(mutex_);
  size_t count = 0;
  for (Block* block = blocks_; block != nullptr; block = block->next, ++count) {
    if (count >= capacity) continue;
    out[count] = {block->key.op, block->key.part, block->key.seed, block->data(), block->size};
  }
  return count;
}

}  // namespace bantam

namespace bantam::kernels {

Status create_packed(PackedWeights** out) {
  *out = new (std::nothrow) PackedWeights;
  return *out == nullptr ? Status(StatusCode::kOutOfMemory, "packed weights", "out of memory") : ok_status();
}

void destroy_packed(PackedWeights* packed) { delete packed; }

size_t packed_bytes(const PackedWeights* packed) { return const_cast<PackedWeights*>(packed)->bytes(); }

void lend_packed(PackedWeights* packed, std::span<const PackedEntry> entries) { packed->lend(entries); }

size_t list_packed(PackedWeights* packed, PackedEntry* out, size_t capacity) {
  return packed->list(out, capacity);
}

// XNNPACK calls look_up (not always), and if that fails reserve_space, packs, and calls look_up_or_insert.
// What it calls an offset is an address here.
void XnnPackedWeights::init(const OpContext& context, int32_t part) {
  packed_ = context.packed;
  op_ = context.index;
  part_ = part;
  type_ = context.input(0).dtype == plan::DType::kFloat16 ? 0x68616c66 : 0;
  provider_.context = this;
  provider_.look_up = [](void* user, const xnn_weights_cache_look_up_key* key) -> size_t {
    XnnPackedWeights& view = self(user);
    view.asked_ = true;
    const void* found = view.packed_->find(view.key(key->seed));
    return found == nullptr ? SIZE_MAX : reinterpret_cast<size_t>(found);
  };
  provider_.reserve_space = [](void* user, size_t size) -> void* {
    XnnPackedWeights& view = self(user);
    view.packs_unasked_ = !view.asked_;
    view.packed_->release(view.reserved_);
    return view.reserved_ = view.packed_->reserve(size);
  };
  provider_.look_up_or_insert = [](void* user, const xnn_weights_cache_look_up_key* key, void* block,
                                   size_t) -> size_t {
    XnnPackedWeights& view = self(user);
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
