// Amounts with units, and the file of an earlier search.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

#include "budget/quantity.h"
#include "budget/search_file.h"
#include "io/failure.h"
#include "temporary_directory.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
using compiler::Point;
using compiler::Precision;

template <typename Use>
std::string refusal(const Use& use) {
  try {
    use();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("budgets: amounts are read in their units") {
  CHECK(parse_milliseconds("--t", "100ms") == 100);
  CHECK(parse_milliseconds("--t", "1.5s") == 1500);
  CHECK(std::fabs(parse_milliseconds("--t", "800us") - 0.8) < 1e-12);
  CHECK(parse_bytes("--b", "4MB") == 4000000);
  CHECK(parse_bytes("--b", "2MiB") == 2097152);
  CHECK(parse_bytes("--b", "512kB") == 512000);
  CHECK(parse_bytes("--b", "7B") == 7);
  CHECK(std::fabs(parse_share("--s", "0.5%") - 0.005) < 1e-12);
}

TEST_CASE("budgets: what is no amount is refused with the flag's name and what would be one") {
  const auto bytes = [](const char* text) { return refusal([&] { parse_bytes("--max-size", text); }); };
  CHECK_THAT(bytes("4"), ContainsSubstring("--max-size 4: has no unit; say for example 4MB"));
  CHECK_THAT(bytes("4XB"), ContainsSubstring("is no number with a unit (B, KB"));
  CHECK_THAT(bytes("0MB"), ContainsSubstring("must be more than 0"));
  CHECK_THAT(bytes("-1MB"), ContainsSubstring("must be more than 0"));
  CHECK_THAT(bytes("0.5B"), ContainsSubstring("less than a byte"));
  CHECK_THAT(bytes("1e30GB"), ContainsSubstring("too much"));
  for (const char* text : {"", "MB", "nanMB", "infMB", "4 MB", "4MBs", "0x4MB"}) {
    INFO(text);
    CHECK(!bytes(text).empty());
  }
  CHECK_THAT(refusal([] { parse_milliseconds("--t", "3min"); }), ContainsSubstring("us, ms, s"));
  CHECK_THAT(refusal([] { parse_share("--s", "101%"); }), ContainsSubstring("more than 100%"));
}

const Point kFinished{{Precision::kInt8, 0.3, true}, {1.25, 1000, 2000, 0.5}, 0.0125, "in \"words\""};
const Point kSeen{{Precision::kFp16, 0, false, {24, 32}}, {2.5, 3000, 4000, 1.5}, std::nullopt, {}};

TEST_CASE("budgets: a search's file gives back what was added, the newest of each network") {
  TemporaryDirectory dir;
  const std::string path = dir.file("search.json");
  {
    SearchFile file(path, "a model");
    CHECK(file.points().empty());
    Point first = kFinished;
    first.drop.reset();
    file.add(first);
    file.add(kSeen);
    file.add(kFinished);
  }
  const SearchFile file(path, "a model");
  REQUIRE(file.points().size() == 2);
  CHECK(file.points()[0].candidate == kSeen.candidate);
  CHECK(!file.points()[0].drop);
  const Point& point = file.points()[1];
  CHECK(point.candidate == kFinished.candidate);
  CHECK(point.footprint.latency_ms == 1.25);
  CHECK(point.footprint.size_bytes == 1000);
  CHECK(point.footprint.memory_bytes == 2000);
  CHECK(point.footprint.energy_mj == 0.5);
  CHECK(point.drop == 0.0125);
  CHECK(point.verdict == kFinished.verdict);
}

TEST_CASE("budgets: a file from before there were smaller inputs is about the model's own") {
  TemporaryDirectory dir;
  const std::string path = dir.file("search.json");
  SearchFile(path, "a model").add(kFinished);
  std::string text = read_back(path);
  for (const auto& [now, then] :
       {std::pair{"\"version\":2", "\"version\":1"}, std::pair{"\"input\":null,", ""}})
    text.replace(text.find(now), std::string(now).size(), then);
  dir.write("search.json", text);
  const SearchFile file(path, "a model");
  REQUIRE(file.points().size() == 1);
  CHECK(file.points()[0].candidate == kFinished.candidate);
}

TEST_CASE("budgets: the file of another search, or no such file, is refused and left alone") {
  TemporaryDirectory dir;
  const std::string path = dir.file("search.json");
  SearchFile(path, "a model").add(kFinished);
  const std::string good = read_back(path);
  const auto open = [&](const std::string& subject) { return refusal([&] { SearchFile(path, subject); }); };
  CHECK_THAT(open("another model"), ContainsSubstring("another model"));
  CHECK(read_back(path) == good);
  const auto damaged = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    dir.write("search.json", text);
    return open("a model");
  };
  CHECK_THAT(damaged("bantam search", "else"), ContainsSubstring("no file of an earlier search"));
  CHECK_THAT(damaged("\"version\":2", "\"version\":99"), ContainsSubstring("another version"));
  CHECK_THAT(damaged("\"int8\"", "\"int7\""), ContainsSubstring("is damaged"));
  CHECK_THAT(damaged("1.25", "-1.25"), ContainsSubstring("is damaged"));
  CHECK_THAT(damaged("1000", "\"many\""), ContainsSubstring("is damaged"));
  CHECK_THAT(damaged("\"input\":null", "\"input\":{\"height\":0,\"width\":8}"),
             ContainsSubstring("is damaged"));
  CHECK_THAT(damaged("\"input\":null", "\"input\":24"), ContainsSubstring("is damaged"));
  dir.write("search.json", good.substr(0, good.size() / 2));
  CHECK_THAT(open("a model"), ContainsSubstring("no file of an earlier search"));
  CHECK_THAT(refusal([&] { SearchFile(dir.file("absent/x"), "a model"); }), ContainsSubstring("absent/x"));
}

}  // namespace
}  // namespace bantam::tools
