// What int8 may cost, from the command line.
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "fixture.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
using Arguments = std::vector<std::string>;
using Json = nlohmann::json;

const Arguments kInt8 = Arguments{"--precision", "int8", "--calibrate", kDigits + "/calib"} + kImageFlags;
const Arguments kTest = {"--inputs", kDigits + "/test", "--labels", kDigits + "/test/labels.csv"};

Arguments compile_to(const std::string& plan) { return Arguments{"compile", kOnnx, "-o", plan} + kInt8; }

Json origin_of(const std::string& plan) {
  return Json::parse(run_program({"inspect", plan, "--json"}).out)["provenance"];
}

TEST_CASE("cli: a drop that int8 keeps to is said with its interval") {
  TemporaryDirectory dir;
  const std::string plan = dir.file("x.bantam");
  Ended ended = run_program(compile_to(plan) + Arguments{"--max-drop", "2%"} + kTest);
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  CHECK_THAT(ended.out, ContainsSubstring("points lost (95 %: ") && ContainsSubstring("agreement") &&
                            ContainsSubstring("on 500 samples"));
  CHECK_THAT(origin_of(plan)["options"].get<std::string>(), ContainsSubstring("--max-drop 2%"));
}

TEST_CASE("cli: samples that cannot settle the question are too few, and the plan is the same every time") {
  TemporaryDirectory dir;
  const std::string plan = dir.file("x.bantam"), again = dir.file("y.bantam");
  Ended ended = run_program(compile_to(plan) + Arguments{"--max-drop", "0.5%"});
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  CHECK_THAT(ended.err, ContainsSubstring("samples would settle it"));
  REQUIRE(run_program(compile_to(again) + Arguments{"--max-drop", "0.5%", "--threads", "1"}).status == 0);
  CHECK(read_back(plan) == read_back(again));
}

TEST_CASE("cli: ops are timed by what bench recorded") {
  TemporaryDirectory dir;
  const std::string fp32 = compile_digits(dir, "fp32"), int8 = compile_digits(dir, "int8");
  const std::string profile = dir.file("board.json"), plan = dir.file("x.bantam");
  Ended recorded = run_program({"bench", fp32, int8, "--profile-device", profile, "--min-time", "0.05"});
  INFO(recorded.err);
  REQUIRE(recorded.status == 0);
  CHECK_THAT(recorded.out, ContainsSubstring(" ops, on ") && ContainsSubstring("1 thread"));
  const Arguments by_profile = {"--device-profile", profile, "--allow-slower"};
  Ended compiled = run_program(compile_to(plan) + by_profile);
  INFO(compiled.err);
  CHECK(compiled.status == 0);
  const std::string first = read_back(plan);
  CHECK(run_program(compile_to(plan) + by_profile).status == 0);
  CHECK(read_back(plan) == first);
}

TEST_CASE("cli misuse: what int8 may cost") {
  TemporaryDirectory dir;
  const std::string plan = compile_digits(dir, "int8"), before = read_back(plan);
  const std::string garbage = save_npy(dir, "g.npy", plan::DType::kUInt8, {4}, std::vector<uint8_t>(4));
  const std::string labels = save_npy(dir, "labels.npy", plan::DType::kInt64, {3}, std::vector<int64_t>(3));
  const auto check_fails = [&](const Arguments& more, int status, const std::string& says) {
    Ended ended = run_program(compile_to(plan) + more);
    INFO(ended.err);
    CHECK(ended.failed_well(status));
    CHECK_THAT(ended.err, ContainsSubstring(says));
    CHECK((read_back(plan) == before));
  };
  check_fails({"--max-drop", "0%"}, 2, "between 0 and 100 %");
  check_fails({"--max-drop", "-1%"}, 2, "between 0 and 100 %");
  check_fails({"--max-drop", "nan%"}, 2, "between 0 and 100 %");
  check_fails({"--max-drop", "1"}, 2, "in percent, such as 0.5%");
  check_fails({"--max-drop", "1dB"}, 2, "in percent, such as 0.5%");
  check_fails({"--labels", kDigits + "/test/labels.csv"}, 2, "--inputs");
  check_fails({"--device-profile", dir.file("absent")}, 1, "absent");
  check_fails({"--device-profile", garbage}, 1, "is no device profile");
  check_fails({"--inputs", kDigits + "/test", "--labels", labels, "--max-drop", "1%"}, 1, "labels.npy");
  Ended fp32 = run_program({"compile", kOnnx, "-o", plan, "--precision", "fp32", "--max-drop", "1%"});
  CHECK(fp32.failed_well(2));
  Ended several = run_program({"bench", plan, plan});
  CHECK(several.failed_well(2));
  CHECK_THAT(several.err, ContainsSubstring("--profile-device"));
}

}  // namespace
}  // namespace bantam::tools
