#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "golden_input.h"
#include "hash64.h"

namespace bantam {
namespace {

// These are part of the plan format: a change breaks every plan there is.
TEST_CASE("hash64 has fixed values") {
  CHECK(hash64("", 0) == 0xf26b447f8e5bc4b2);
  CHECK(hash64("bantam", 6) == 0x6a67d6c6aeb0428f);
  std::vector<unsigned char> bytes(1000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 7);
  CHECK(hash64(bytes.data(), bytes.size()) == 0x165d405ffb098e3c);
}

TEST_CASE("hash64 does not depend on how the bytes are cut") {
  std::vector<unsigned char> bytes(200);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * i);
  const uint64_t whole = hash64(bytes.data(), bytes.size());
  for (size_t a = 0; a <= bytes.size(); ++a) {
    for (size_t b = a; b <= bytes.size(); b += 13) {
      Hash64 hash;
      hash.update(bytes.data(), a);
      hash.update(bytes.data() + a, b - a);
      hash.update(bytes.data() + b, bytes.size() - b);
      REQUIRE(hash.finish() == whole);
    }
  }
}

TEST_CASE("hash64 tells every length and every flipped bit apart") {
  std::set<uint64_t> seen;
  std::vector<unsigned char> bytes(300);
  for (size_t length = 0; length <= bytes.size(); ++length) seen.insert(hash64(bytes.data(), length));
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<unsigned char>(1 << bit % 8);
    seen.insert(hash64(bytes.data(), bytes.size()));
    bytes[bit / 8] ^= static_cast<unsigned char>(1 << bit % 8);
  }
  CHECK(seen.size() == bytes.size() + 1 + bytes.size() * 8);
}

TEST_CASE("the golden input has fixed values") {
  std::vector<float> plain(1000);
  fill_golden_input(0, plan::DType::kFloat32, 1000, {}, plain.data());
  CHECK(hash64(plain.data(), 4000) == 0xde0c0e35177345c3);
  std::vector<float> ranged(1000);
  fill_golden_input(1, plan::DType::kFloat32, 1000, {0.1f, 5}, ranged.data());
  CHECK(hash64(ranged.data(), 4000) == 0xcf462c4a3272f814);
  std::vector<uint8_t> bytes(1000);
  fill_golden_input(2, plan::DType::kUInt8, 1000, {}, bytes.data());
  CHECK(hash64(bytes.data(), 1000) == 0x9455f4dc45bd388c);
  std::vector<int64_t> integers(1000);
  fill_golden_input(3, plan::DType::kInt64, 1000, {}, integers.data());
  CHECK(hash64(integers.data(), 8000) == 0xf707a1f36606f1fe);
}

float half_value(uint16_t bits) {
  const float sign = (bits & 0x8000) != 0 ? -1.f : 1.f;
  const int exponent = bits >> 10 & 31;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(bits & 1023), -24);
  return sign * std::ldexp(static_cast<float>(1024 + (bits & 1023)), exponent - 25);
}

TEST_CASE("golden float16 numbers are those of float32") {
  std::vector<float> floats(5000);
  std::vector<uint16_t> halves(5000);
  fill_golden_input(0, plan::DType::kFloat32, 5000, {}, floats.data());
  fill_golden_input(0, plan::DType::kFloat16, 5000, {}, halves.data());
  for (size_t i = 0; i < floats.size(); ++i) REQUIRE(half_value(halves[i]) == floats[i]);
}

TEST_CASE("golden numbers cover the range of the op that quantizes them") {
  std::vector<float> ranged(100000);
  fill_golden_input(0, plan::DType::kFloat32, 100000, {0.5f, -10}, ranged.data());
  const auto [low, high] = std::minmax_element(ranged.begin(), ranged.end());
  CHECK(*low >= 0.5f * (-128 + 10));
  CHECK(*low < 0.5f * (-127 + 10));
  CHECK(*high > 0.5f * (127 + 10));
  CHECK(*high < 0.5f * (128 + 10));
}

}  // namespace
}  // namespace bantam
