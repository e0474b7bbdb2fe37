#include "sparsity/allocate.h"

#include <algorithm>

namespace bantam::compiler {
namespace {

struct Segment {
  size_t layer;
  int64_t count;
  double slope;
};

// Of the lower hull of the curve, from left to right: their slopes rise.
void add_segments(size_t layer, const LossCurve& curve, std::vector<Segment>& segments) {
  std::vector<size_t> hull;
  const auto slope = [&](size_t a, size_t b) {
    return (curve.losses[b] - curve.losses[a]) / static_cast<double>(curve.counts[b] - curve.counts[a]);
  };
  for (size_t i = 0; i < curve.counts.size(); ++i) {
    if (!hull.empty() && curve.counts[i] == curve.counts[hull.back()]) continue;
    while (hull.size() > 1 && slope(hull[hull.size() - 2], hull.back()) >= slope(hull.back(), i))
      hull.pop_back();
    hull.push_back(i);
  }
  for (size_t i = 1; i < hull.size(); ++i) {
    segments.push_back(
        {layer, curve.counts[hull[i]] - curve.counts[hull[i - 1]], slope(hull[i - 1], hull[i])});
  }
}

}  // namespace

std::vector<int64_t> allocate_zeros(const std::vector<LossCurve>& curves, int64_t total) {
  std::vector<Segment> segments;
  for (size_t i = 0; i < curves.size(); ++i) add_segments(i, curves[i], segments);
  std::stable_sort(segments.begin(), segments.end(),
                   [](const Segment& a, const Segment& b) { return a.slope < b.slope; });
  std::vector<int64_t> zeros(curves.size(), 0);
  for (const Segment& segment : segments) {
    const int64_t taken = std::min(segment.count, total);
    zeros[segment.layer] += taken;
    total -= taken;
  }
  return zeros;
}

}  // namespace bantam::compiler
