#include <catch2/catch_test_macros.hpp>

#include <random>

#include "emit/arena.h"
#include "plan_format.h"

namespace bantam::tests {
namespace {

using compiler::Buffer;

void check_no_overlap(const std::vector<Buffer>& buffers, uint64_t total) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Buffer& a = buffers[i];
    REQUIRE(a.offset % kTensorAlignment == 0);
    REQUIRE(a.offset + a.bytes <= total);
    for (size_t k = 0; k < i; ++k) {
      const Buffer& b = buffers[k];
      const bool at_one_time = a.first <= b.last && b.first <= a.last;
      const bool apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
      REQUIRE((!at_one_time || apart));
    }
  }
}

TEST_CASE("random buffers never overlap and stay near the bound") {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<Buffer> buffers;
    for (int i = 0; i < 60; ++i) {
      const int first = static_cast<int>(random() % 50);
      buffers.push_back({1 + random() % 10000, first, first + static_cast<int>(random() % 6), 0});
    }
    const uint64_t total = compiler::place_buffers(buffers);
    check_no_overlap(buffers, total);
    CHECK(static_cast<double>(total) <= 1.25 * static_cast<double>(compiler::live_bytes(buffers)));
  }
}

TEST_CASE("a residual network's buffers need no more than those alive at one time") {
  std::vector<Buffer> buffers;
  for (int block = 0; block < 8; ++block) {
    const uint64_t bytes = 802816u >> (block / 2);
    buffers.push_back({bytes, block * 3, block * 3 + 3, 0});  // the shortcut
    buffers.push_back({bytes, block * 3 + 1, block * 3 + 2, 0});
    buffers.push_back({bytes, block * 3 + 2, block * 3 + 3, 0});
  }
  const uint64_t total = compiler::place_buffers(buffers);
  check_no_overlap(buffers, total);
  CHECK(static_cast<double>(total) <= 1.05 * static_cast<double>(compiler::live_bytes(buffers)));
}

TEST_CASE("nothing to place") {
  std::vector<Buffer> none;
  CHECK(compiler::place_buffers(none) == 0);
}

}  // namespace
}  // namespace bantam::tests
