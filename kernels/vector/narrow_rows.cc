// See narrow_rows.h.
#include "vector/narrow_rows.h"

#include <algorithm>

#include "int8/highway_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vector/narrow_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "vector/clamp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bantam::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3_DL

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kNarrowChannels>;
using V = hn::Vec<D>;
static_assert(hn::MaxLanes(D()) == kNarrowChannels);

// Variables and not an array, of which compilers keep a copy in memory. `b` to `e` lie 3, 6, 9 and 12 pixels
// on.
#define BANTAM_FOR_PIXELS(DO)                                                                     \
  DO(0, a, 0)                                                                                     \
  DO(1, a, 1) DO(2, a, 2) DO(3, b, 0) DO(4, b, 1) DO(5, b, 2) DO(6, c, 0) DO(7, c, 1) DO(8, c, 2) \
      DO(9, d, 0) DO(10, d, 1) DO(11, d, 2) DO(12, e, 0) DO(13, e, 1)
#define BANTAM_SUM(i, from, n) V sum##i = bias;
#define BANTAM_ADD(i, from, n) sum##i = hn::MulAdd(hn::Set(D(), from[n * step]), w, sum##i);
#define BANTAM_STORE(i, from, n) \
  hn::StoreN(clamped(sum##i, low, high), D(), y + i * product.y_pixel, channels);

void tile(const NarrowProduct& product, const float* x, const float* weights, float* y) {
  const V low = hn::Set(D(), product.low), high = hn::Set(D(), product.high);
  const V bias = hn::LoadU(D(), weights);
  const int64_t step = product.x_pixel;
  const float *a = x, *b = a + 3 * step, *c = b + 3 * step, *d = c + 3 * step, *e = d + 3 * step;
  BANTAM_FOR_PIXELS(BANTAM_SUM)
  for (int64_t k = product.depth; k > 0; --k) {
    weights += kNarrowChannels;
    const V w = hn::LoadU(D(), weights);
    BANTAM_FOR_PIXELS(BANTAM_ADD)
    ++a, ++b, ++c, ++d, ++e;
  }
  const auto channels = static_cast<size_t>(product.channels);
  BANTAM_FOR_PIXELS(BANTAM_STORE)
}

#undef BANTAM_FOR_PIXELS
#undef BANTAM_SUM
#undef BANTAM_ADD
#undef BANTAM_STORE

// The last tile may overlap the one before.
void rows(const NarrowProduct& product, const float* x, const float* weights, float* y, int64_t pixels) {
  for (int64_t i = 0; i < pixels; i += kNarrowPixels) {
    const int64_t first = std::min(i, pixels - kNarrowPixels);
    tile(product, x + first * product.x_pixel, weights, y + first * product.y_pixel);
  }
}

NarrowRows choose_narrow() { return rows; }

#else

NarrowRows choose_narrow() { return nullptr; }

#endif

}  // namespace
}  // namespace bantam::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bantam::kernels {

HWY_EXPORT(choose_narrow);

NarrowRows narrow_rows() { return HWY_DYNAMIC_DISPATCH(choose_narrow)(); }

}  // namespace bantam::kernels
#endif  // HWY_ONCE
