#include "emit/arena.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "plan_format.h"

namespace bantam::compiler {
namespace {

uint64_t aligned(uint64_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

bool overlap_in_time(const Buffer& a, const Buffer& b) { return a.first <= b.last && b.first <= a.last; }

// Places the buffers one after the other in `order`, each at the lowest offset that is free for its lifetime.
uint64_t place_in_order(std::vector<Buffer>& buffers, const std::vector<size_t>& order) {
  uint64_t total = 0;
  std::vector<const Buffer*> placed;  // sorted by offset
  placed.reserve(buffers.size());
  for (size_t index : order) {
    Buffer& buffer = buffers[index];
    uint64_t offset = 0;
    for (const Buffer* other : placed) {
      if (!overlap_in_time(buffer, *other)) continue;
      if (offset + aligned(buffer.bytes) <= other->offset) break;
      offset = std::max(offset, other->offset + aligned(other->bytes));
    }
    buffer.offset = offset;
    total = std::max(total, offset + aligned(buffer.bytes));
    const auto where =
        std::upper_bound(placed.begin(), placed.end(), &buffer,
                         [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; });
    placed.insert(where, &buffer);
  }
  return total;
}

std::vector<size_t> order_by(const std::vector<Buffer>& buffers, uint64_t (*key)(const Buffer&)) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return key(buffers[a]) > key(buffers[b]); });
  return order;
}

uint64_t lifetime(const Buffer& b) { return static_cast<uint64_t>(b.last - b.first + 1); }

// Placing is an order in which first fit is optimal; a few hundred swaps find a better one where sorting does
// not.
void improve(std::vector<Buffer>& buffers, std::vector<size_t> order, uint64_t& best_total, uint64_t bound) {
  if (buffers.size() < 2) return;
  std::mt19937 random(1);
  std::vector<Buffer> trial = buffers;
  const int rounds = buffers.size() > 400 ? 100 : 1000;
  for (int round = 0; round < rounds && best_total > bound + bound / 64; ++round) {
    const size_t a = random() % order.size();
    const size_t b = random() % order.size();
    std::swap(order[a], order[b]);
    const uint64_t total = place_in_order(trial, order);
    if (total < best_total) {
      best_total = total;
      buffers = trial;
    } else if (total > best_total) {
      std::swap(order[a], order[b]);
    }
  }
}

}  // namespace

uint64_t live_bytes(const std::vector<Buffer>& buffers) {
  uint64_t most = 0;
  for (const Buffer& moment : buffers) {
    uint64_t sum = 0;
    for (const Buffer& other : buffers) {
      if (other.first <= moment.first && moment.first <= other.last) sum += aligned(other.bytes);
    }
    most = std::max(most, sum);
  }
  return most;
}

uint64_t place_buffers(std::vector<Buffer>& buffers) {
  uint64_t (*const kKeys[])(const Buffer&) = {
      [](const Buffer& b) { return b.bytes; },
      [](const Buffer& b) { return b.bytes * lifetime(b); },
      [](const Buffer& b) { return lifetime(b); },
      [](const Buffer& b) { return UINT64_MAX - static_cast<uint64_t>(b.first + 1); },
  };
  const uint64_t bound = live_bytes(buffers);
  uint64_t best_total = UINT64_MAX;
  std::vector<Buffer> best = buffers;
  std::vector<size_t> best_order;
  for (const auto key : kKeys) {
    const std::vector<size_t> order = order_by(buffers, key);
    const uint64_t total = place_in_order(buffers, order);
    if (total >= best_total) continue;
    best_total = total;
    best = buffers;
    best_order = order;
  }
  if (buffers.empty()) return 0;
  improve(best, best_order, best_total, bound);
  buffers = best;
  return best_total;
}

}  // namespace bantam::compiler
