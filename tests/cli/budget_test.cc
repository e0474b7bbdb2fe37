// Searches within budgets from the command line.
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "fixture.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
using Arguments = std::vector<std::string>;
using Json = nlohmann::json;

Arguments search(const std::string& output, const Arguments& more) {
  return Arguments{"compile", kOnnx, "-o", output, "--calibrate", kDigits + "/calib"} + kImageFlags + more;
}

uint64_t plan_bytes(const std::string& plan) {
  const Ended ended = run_program({"inspect", plan, "--json"});
  REQUIRE(ended.status == 0);
  return Json::parse(ended.out)["plan_bytes"].get<uint64_t>();
}

TEST_CASE("cli: budgets get the plan that fits, with table, JSON and page") {
  TemporaryDirectory dir;
  const std::string plan = dir.file("x.bantam"), page = dir.file("x.html");
  const Ended ended = run_program(search(plan, {"--max-latency", "10s", "--max-size", "150KB", "--max-memory",
                                                "1MB", "--max-drop", "20%", "--report", page, "--json"}));
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  const Json json = Json::parse(ended.out);
  const Json& chosen = json["chosen"];
  CHECK(chosen["precision"] == "int8");
  CHECK(chosen["pruned"] > 0);  // int8 alone takes 174 KB
  CHECK(chosen["size_bytes"] <= 150000);
  CHECK(chosen["memory_bytes"] <= 1000000);
  CHECK(chosen["drop"] <= 0.2);
  CHECK(json["written_latency_ms"] > 0);
  CHECK(!json["front"].empty());
  CHECK_THAT(json["reason"].get<std::string>(), ContainsSubstring("would miss the budget of size"));
  CHECK(plan_bytes(plan) == chosen["size_bytes"].get<uint64_t>());
  CHECK(run_program({"verify", plan}).status == 0);
  CHECK_THAT(read_back(page), ContainsSubstring("<svg class=\"scatter\""));
}

TEST_CASE("cli: budgets that contradict each other write nothing and show what comes nearest") {
  TemporaryDirectory dir;
  const Ended ended =
      run_program(search(dir.file("x.bantam"), {"--precision", "int8", "--max-size", "1KB", "--max-drop",
                                                "20%", "--report", dir.file("x.html")}));
  CHECK(ended.failed_well(1));
  CHECK_THAT(ended.err, ContainsSubstring("contradict each other"));
  CHECK_THAT(ended.out, ContainsSubstring("nearest to the budget of size:"));
  CHECK(!std::filesystem::exists(dir.file("x.bantam")));
  CHECK(!std::filesystem::exists(dir.file("x.html")));
}

TEST_CASE("cli: a resumed search believes what the earlier one has measured") {
  TemporaryDirectory dir;
  const std::string plan = dir.file("x.bantam"), resume = dir.file("search.json");
  const Arguments budgets = {"--precision", "int8", "--max-size", "1MB", "--resume", resume};
  REQUIRE(run_program(search(plan, budgets)).status == 0);
  Json known = Json::parse(read_back(resume));
  REQUIRE(known["points"].size() == 1);
  known["points"][0]["latency_ms"] = 1234.5;
  dir.write("search.json", known.dump());
  const Ended ended = run_program(search(plan, budgets + Arguments{"--json"}));
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  CHECK(Json::parse(ended.out)["chosen"]["latency_ms"] == 1234.5);
  // A drop holds samples out, and what is pruned for time is not what is pruned for size.
  for (const Arguments& more : {Arguments{"--max-drop", "9%"}, Arguments{"--max-latency", "10s"}}) {
    const Ended other = run_program(search(plan, budgets + more));
    CHECK(other.failed_well(1));
    CHECK_THAT(other.err, ContainsSubstring("another model"));
  }
}

TEST_CASE("cli misuse: budgets say what is wrong and leave nothing behind") {
  TemporaryDirectory dir;
  const std::string output = dir.file("x.bantam");
  const auto check_fails = [&](const Arguments& more, int status, const std::string& says) {
    const Ended ended = run_program(search(output, more));
    INFO(ended.err);
    CHECK(ended.failed_well(status));
    CHECK_THAT(ended.err, ContainsSubstring(says));
    CHECK(!std::filesystem::exists(output));
  };
  check_fails({"--max-latency", "0ms"}, 2, "more than 0");
  check_fails({"--max-latency", "5"}, 2, "has no unit");
  check_fails({"--max-latency", "5m"}, 2, "us, ms, s");
  check_fails({"--max-size", "4XB"}, 2, "KiB");
  check_fails({"--max-memory", "-1MB"}, 2, "more than 0");
  check_fails({"--max-size", "1MB", "--max-drop", "0%"}, 2, "--max-drop");
  check_fails({"--minimize", "joy"}, 2, "joy");
  check_fails({"--precision", "int8", "--resume", dir.file("s.json")}, 2, "goes with a search");
  check_fails({"--precision", "int8", "--json"}, 2, "about a search");
  check_fails({"--max-size", "1MB", "--prune", "30%"}, 2, "--prune does not go with budgets");
  check_fails({"--max-size", "1MB", "--stop-after", "prune"}, 2, "--stop-after");
  check_fails({"--max-size", "1MB", "--resume", dir.write("no.json", "{}")}, 1,
              "no file of an earlier search");
  check_fails({"--max-size", "1MB", "--resume", dir.file("absent/s.json")}, 1, "absent/s.json");
  const Ended bare = run_program({"compile", kOnnx, "-o", output, "--max-size", "1MB"});
  CHECK(bare.failed_well(2));
  CHECK_THAT(bare.err, ContainsSubstring("--calibrate"));
}

}  // namespace
}  // namespace bantam::tools
