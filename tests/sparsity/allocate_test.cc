#include "sparsity/allocate.h"

#include <catch2/catch_test_macros.hpp>
#include <numeric>
#include <random>

namespace bantam::tests {
namespace {

using compiler::allocate_zeros;
using compiler::LossCurve;
using Zeros = std::vector<int64_t>;

TEST_CASE("zeros go where they cost least") {
  const LossCurve cheap{{0, 10, 20}, {0, 1, 3}}, dear{{0, 10, 20}, {0, 10, 30}};
  CHECK(allocate_zeros({cheap, dear}, 0) == Zeros{0, 0});
  CHECK(allocate_zeros({cheap, dear}, 15) == Zeros{15, 0});
  CHECK(allocate_zeros({dear, cheap}, 15) == Zeros{0, 15});
  CHECK(allocate_zeros({cheap, dear}, 25) == Zeros{20, 5});
  CHECK(allocate_zeros({cheap, dear}, 1000) == Zeros{20, 20});
}

TEST_CASE("a loss that is dear first and cheap later is taken for what it is on the whole") {
  const LossCurve bent{{0, 10, 20}, {0, 10, 11}}, straight{{0, 10, 20}, {0, 7, 14}};
  CHECK(allocate_zeros({bent, straight}, 20) == Zeros{20, 0});
  CHECK(allocate_zeros({LossCurve{{0}, {0}}, straight}, 5) == Zeros{0, 5});
}

// Against all ways to share so many zeros out in steps of ten.
TEST_CASE("on convex curves nothing is better") {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<LossCurve> curves;
    for (int layer = 0; layer < 3; ++layer) {
      LossCurve& curve = curves.emplace_back(LossCurve{{0}, {0}});
      double slope = 0;
      for (int point = 1; point <= 4; ++point) {
        slope += static_cast<double>(random() % 100);
        curve.counts.push_back(10 * point);
        curve.losses.push_back(curve.losses.back() + slope);
      }
    }
    const auto loss = [&](int64_t a, int64_t b, int64_t c) {
      return curves[0].losses[static_cast<size_t>(a)] + curves[1].losses[static_cast<size_t>(b)] +
             curves[2].losses[static_cast<size_t>(c)];
    };
    const Zeros zeros = allocate_zeros(curves, 60);
    CHECK(std::accumulate(zeros.begin(), zeros.end(), int64_t{0}) == 60);
    const double got = loss(zeros[0] / 10, zeros[1] / 10, zeros[2] / 10);
    for (int64_t a = 0; a <= 4; ++a) {
      for (int64_t b = std::max<int64_t>(0, 2 - a); b <= std::min<int64_t>(4, 6 - a); ++b)
        CHECK(got <= loss(a, b, 6 - a - b));
    }
  }
}

}  // namespace
}  // namespace bantam::tests
