#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <random>

#include "graph_builder.h"
#include "quantize/histogram.h"
#include "quantize/ranges.h"
#include "quantize/weights.h"

namespace bantam::tests {
namespace {

std::vector<float> normal_data(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> data(count);
  for (float& x : data) x = distribution(random);
  return data;
}

TEST_CASE("histograms add up to the same in any order") {
  const std::vector<float> small = normal_data(1000, 1);
  std::vector<float> large = normal_data(1000, 2);
  for (float& x : large) x *= 300.0f;
  Histogram together;
  together.add(small);
  together.add(large);
  Histogram a;
  Histogram b;
  a.add(large);
  b.add(small);
  a.merge(b);
  CHECK(a.min() == together.min());
  CHECK(a.max() == together.max());
  CHECK(a.count() == 2000);
  for (int i = 0; i < Histogram::kBins; ++i) REQUIRE(a.bin(i) == together.bin(i));
}

TEST_CASE("NaN and infinity are counted, not entered") {
  Histogram h;
  h.add(std::vector<float>{1.0f, NAN, INFINITY, -2.0f});
  CHECK(h.not_finite() == 2);
  CHECK(h.min() == -2.0f);
  CHECK(h.max() == 1.0f);
}

TEST_CASE("zero is always exactly on a step") {
  for (const Range range :
       {Range{0, 6}, Range{-1, 1}, Range{2, 5}, Range{-7, -3}, Range{0, 0}, Range{-1e-20f, 1e-20f}}) {
    const Quantization q = quantization_of(range);
    CHECK(q.scales[0] > 0);
    CHECK((q.zero_point >= -128 && q.zero_point <= 127));
    CHECK(q.scales[0] * static_cast<float>(127 - q.zero_point) >= range.max * 0.99f);
    CHECK(q.scales[0] * static_cast<float>(-128 - q.zero_point) <= range.min * 0.99f + 1e-18f);
  }
}

TEST_CASE("squared error gives up a far outlier, min-max does not") {
  std::vector<float> data = normal_data(100000, 3);
  data.push_back(100.0f);
  Histogram h;
  h.add(data);
  CHECK(choose_range(h, RangeMethod::kMinMax).max == 100.0f);
  CHECK(choose_range(h, RangeMethod::kSquaredError).max < 95.0f);
  CHECK(choose_range(h, RangeMethod::kPercentile).max < 10.0f);
}

TEST_CASE("weights keep their channel's scale, bias and requantization stay in range") {
  Tensor weights = Tensor::of<float>({3, 2}, std::vector<float>{1.0f, -2.0f, 0.0f, 0.0f, 1e-9f, 1e-9f});
  const std::vector<float> bias = {0.5f, 3.0f, 1000.0f};
  const QuantizedWeights q = quantize_weights(weights, bias, 0.1f, 0.05f);
  CHECK(q.weights.as<int8_t>()[0] == 64);
  CHECK(q.weights.as<int8_t>()[1] == -127);
  CHECK(std::abs(q.bias.as<int32_t>()[0] - std::lround(0.5 / (0.1 * q.scales[0]))) <= 1);
  for (size_t c = 0; c < 3; ++c) {
    const double stated = static_cast<double>(q.bias.as<int32_t>()[c]) * 0.1f * q.scales[c];
    CHECK(std::fabs(stated - bias[c]) < 1e-2 * std::fabs(bias[c]) + 0.02);
    CHECK(0.1f * q.scales[c] / 0.05f < 256.0f);
    CHECK(0.1f * q.scales[c] / 0.05f >= 0x1p-32f);
  }
}

}  // namespace
}  // namespace bantam::tests
