// See sparse_rows.h.
#include "vector/sparse_rows.h"

#include <algorithm>

#include "int8/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vector/sparse_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "vector/clamp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using Block = hn::BlockDFromD<D>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = 16;
constexpr int64_t kChannels = 4;  // that change places with pixels at one time
static_assert(hn::MaxLanes(D()) == kLanes);

struct Quad {
  V rows[kChannels];
};

// Each block of four lanes is a 4 x 4 matrix of its own.
HWY_INLINE Quad transposed(const Quad& q) {
  const hn::RepartitionToWide<D> wide;
  const V low01 = hn::InterleaveLower(D(), q.rows[0], q.rows[1]);
  const V low23 = hn::InterleaveLower(D(), q.rows[2], q.rows[3]);
  const V high01 = hn::InterleaveUpper(D(), q.rows[0], q.rows[1]);
  const V high23 = hn::InterleaveUpper(D(), q.rows[2], q.rows[3]);
  const auto lower = [&](V a, V b) {
    return hn::BitCast(D(), hn::InterleaveLower(wide, hn::BitCast(wide, a), hn::BitCast(wide, b)));
  };
  const auto upper = [&](V a, V b) {
    return hn::BitCast(D(), hn::InterleaveUpper(wide, hn::BitCast(wide, a), hn::BitCast(wide, b)));
  };
  return {{lower(low01, low23), upper(low01, low23), lower(high01, high23), upper(high01, high23)}};
}

// Four channels of pixels 0, 4, 8 and 12.
HWY_INLINE V load_blocks(const float* x, int64_t pixel) {
  V v = hn::ResizeBitCast(D(), hn::LoadU(Block(), x));
  v = hn::InsertBlock<1>(v, hn::LoadU(Block(), x + 4 * pixel));
  v = hn::InsertBlock<2>(v, hn::LoadU(Block(), x + 8 * pixel));
  return hn::InsertBlock<3>(v, hn::LoadU(Block(), x + 12 * pixel));
}
HWY_INLINE void store_blocks(V v, float* y, int64_t pixel) {
  hn::StoreU(hn::ExtractBlock<0>(v), Block(), y);
  hn::StoreU(hn::ExtractBlock<1>(v), Block(), y + 4 * pixel);
  hn::StoreU(hn::ExtractBlock<2>(v), Block(), y + 8 * pixel);
  hn::StoreU(hn::ExtractBlock<3>(v), Block(), y + 12 * pixel);
}

// Channels of a tile, each with its pixels side by side.
template <int64_t kTile>
void gather(const SparseProduct& p, const float* x, float* columns) {
  const int64_t whole = p.depth / kChannels * kChannels;
  for (int64_t c = 0; c < whole; c += kChannels) {
    for (int64_t first = 0; first < kTile; first += kLanes) {
      const float* from = x + first * p.x_pixel + c;
      Quad q;
      for (int64_t k = 0; k < kChannels; ++k) q.rows[k] = load_blocks(from + k * p.x_pixel, p.x_pixel);
      q = transposed(q);
      for (int64_t k = 0; k < kChannels; ++k) hn::Store(q.rows[k], D(), columns + (c + k) * kTile + first);
    }
  }
  for (int64_t c = whole; c < p.depth; ++c) {
    for (int64_t i = 0; i < kTile; ++i) columns[c * kTile + i] = x[i * p.x_pixel + c];
  }
}

template <int64_t kTile>
void scatter(const SparseProduct& p, const float* rows, int64_t first, float* y) {
  const int64_t count = std::min(kChannels, p.channels - first);
  if (count < kChannels) {
    for (int64_t c = 0; c < count; ++c) {
      for (int64_t i = 0; i < kTile; ++i) y[i * p.y_pixel + first + c] = rows[c * kTile + i];
    }
    return;
  }
  for (int64_t i = 0; i < kTile; i += kLanes) {
    Quad q;
    for (int64_t k = 0; k < kChannels; ++k) q.rows[k] = hn::Load(D(), rows + k * kTile + i);
    q = transposed(q);
    for (int64_t k = 0; k < kChannels; ++k)
      store_blocks(q.rows[k], y + (i + k) * p.y_pixel + first, p.y_pixel);
  }
}

// One output channel; gives the next one's weights.
template <int64_t kTile>
HWY_INLINE const SparseChannel* channel(const SparseProduct& p, const SparseChannel* at, const float* columns,
                                        float* row) {
  constexpr int64_t kVectors = kTile / kLanes;
  V sums[kVectors];
  for (V& sum : sums) sum = hn::Set(D(), at->bias);
  const auto* w = reinterpret_cast<const SparseWeight*>(at + 1);
  for (const SparseWeight* const end = w + at->count; w != end; ++w) {
    const V weight = hn::Set(D(), w->weight);
    const float* from = columns + w->source;
    for (int64_t i = 0; i < kVectors; ++i)
      sums[i] = hn::MulAdd(weight, hn::Load(D(), from + i * kLanes), sums[i]);
  }
  const V low = hn::Set(D(), p.low), high = hn::Set(D(), p.high);
  for (int64_t i = 0; i < kVectors; ++i) hn::Store(clamped(sums[i], low, high), D(), row + i * kLanes);
  return reinterpret_cast<const SparseChannel*>(w);
}

// The last tile may overlap the one before.
template <int64_t kTile>
void rows(const SparseProduct& p, const float* x, const SparseChannel* weights, float* y, int64_t pixels,
          float* scratch) {
  float* columns = scratch + kChannels * kTile;
  for (int64_t i = 0; i < pixels; i += kTile) {
    const int64_t first = std::min(i, pixels - kTile);
    gather<kTile>(p, x + first * p.x_pixel, columns);
    const SparseChannel* at = weights;
    for (int64_t o = 0; o < p.channels; o += kChannels) {
      for (int64_t k = 0; k < std::min(kChannels, p.channels - o); ++k)
        at = channel<kTile>(p, at, columns, scratch + k * kTile);
      scatter<kTile>(p, scratch, o, y + first * p.y_pixel);
    }
  }
}

SparseRows choose_sparse(int64_t tile) {
  return tile == kSparseTile ? rows<kSparseTile> : rows<kSmallSparseTile>;
}

#else

SparseRows choose_sparse(int64_t) { return nullptr; }

#endif

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bantam::kernels {

HWY_EXPORT(choose_sparse);

SparseRows sparse_rows(int64_t tile) { return HWY_DYNAMIC_DISPATCH(choose_sparse)(tile); }

}  // namespace bantam::kernels
#endif  // HWY_ONCE
