// Intervals against published numbers.
#include "search/interval.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

namespace bantam::compiler {
namespace {

using Catch::Approx;

TEST_CASE("Wilson's interval, as in Newcombe 1998 (Stat. Med. 17:857, table I, method 3)") {
  CHECK(wilson_interval(81, 263).low == Approx(0.2553).margin(5e-5));
  CHECK(wilson_interval(81, 263).high == Approx(0.3662).margin(5e-5));
  CHECK(wilson_interval(15, 148).low == Approx(0.0624).margin(5e-5));
  CHECK(wilson_interval(15, 148).high == Approx(0.1605).margin(5e-5));
  CHECK(wilson_interval(0, 20).low == 0.0);
  CHECK(wilson_interval(0, 20).high == Approx(0.1611).margin(5e-5));
  CHECK(wilson_interval(1, 29).low == Approx(0.0061).margin(5e-5));
  CHECK(wilson_interval(1, 29).high == Approx(0.1718).margin(5e-5));
}

TEST_CASE("intervals of paired samples surround the difference and shrink with the samples") {
  const Interval few = paired_interval(3, 1, 100), many = paired_interval(300, 100, 10000);
  CHECK((few.low < 0.02 && few.high > 0.02));
  CHECK((many.low < 0.02 && many.high > 0.02));
  CHECK(many.high - many.low < 0.2 * (few.high - few.low));
  // By hand: (3.5 - 1.5) / 102 -+ 1.96 * sqrt(5 - 4 / 102) / 102
  CHECK(few.low == Approx(-0.02319).margin(1e-5));
  CHECK(few.high == Approx(0.06240).margin(1e-5));
  CHECK(paired_interval(0, 0, 100).high > 0);
}

TEST_CASE("no samples say nothing") {
  CHECK(wilson_interval(0, 0).low == 0);
  CHECK(wilson_interval(0, 0).high == 1);
  CHECK(paired_interval(0, 0, 0).low == -1);
}

TEST_CASE("the number of samples that settles a question is the least that does") {
  const int64_t needed = samples_to_settle(0, 0.005);
  CHECK(wilson_interval(0, needed).high <= 0.005);
  CHECK(wilson_interval(0, needed - 1).high > 0.005);
  CHECK(samples_to_settle(0.02, 0.005) > 100);
  CHECK(samples_to_settle(0.01, 0.0101) > 1000000);
  CHECK(samples_to_settle(0.01, 0.01) == 0);
}

}  // namespace
}  // namespace bantam::compiler
