// diff, explain and compile --report.
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fixture.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
using Json = nlohmann::json;

const std::vector<std::string> kSamples = {"--inputs", kDigits + "/test", "--limit", "12"};

std::vector<std::string> compile_int8(const TemporaryDirectory& dir) {
  return std::vector<std::string>{"compile",     kOnnx,  "-o",          dir.file("plan.bantam"),
                                  "--precision", "int8", "--calibrate", kDigits + "/calib"} +
         kImageFlags;
}

TEST_CASE("cli: diff splits the error by cause and by op, as text, JSON and a page") {
  TemporaryDirectory dir;
  const std::string plan = compile_digits(dir, "int8"), page = dir.file("diff.html");
  Ended text = run_program(std::vector<std::string>{"diff", kOnnx, plan} + kSamples);
  INFO(text.err);
  REQUIRE(text.status == 0);
  for (const char* word :
       {"folding", "weight rounding", "clipping", "activation rounding", "together", "SQNR"})
    CHECK_THAT(text.out, ContainsSubstring(word));
  Ended ended =
      run_program(std::vector<std::string>{"diff", kOnnx, plan, "--json", "--report", page} + kSamples);
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  const Json json = Json::parse(ended.out);
  CHECK(json["samples"] == 12);
  CHECK(json["unmatched"] == 0);
  double sum = 0;
  for (const Json& cause : json["causes"]) sum += cause["noise"].get<double>();
  CHECK(std::fabs(sum / json["noise"].get<double>() - 1) < 1e-6);
  CHECK(std::fabs(-10 * std::log10(sum) - json["outputs"][0]["sqnr_db"].get<double>()) < 1e-4);
  CHECK(json["agreement"].get<double>() > 0.9);
  CHECK(json["histograms"].size() > 5);
  CHECK_THAT(read_back(page), ContainsSubstring("</html>"));
}

TEST_CASE("cli: the same comparison gives the same numbers") {
  TemporaryDirectory dir;
  const std::vector<std::string> command =
      std::vector<std::string>{"diff", kOnnx, compile_digits(dir, "int8"), "--json"} + kSamples;
  CHECK(run_program(command).out == run_program(command).out);
}

TEST_CASE("cli: explain says of each op what it is, takes, costs, and why") {
  TemporaryDirectory dir;
  const std::string plan = compile_digits(dir, "int8");
  Ended alone = run_program({"explain", plan, "--json"});
  INFO(alone.err);
  REQUIRE(alone.status == 0);
  const Json json = Json::parse(alone.out);
  double time = 0;
  for (const Json& op : json["ops"]) {
    time += op["time_share"].get<double>();
    CHECK(op["kernel"].get<std::string>().starts_with(op["macs"] > 0 && op["op"] == "Conv2d" ? "Conv2d.int8"
                                                                                             : ""));
  }
  CHECK(std::fabs(time - 1) < 1e-6);
  Ended full = run_program(std::vector<std::string>{"explain", plan, "--onnx", kOnnx} + kSamples);
  INFO(full.err);
  REQUIRE(full.status == 0);
  CHECK_THAT(full.out, ContainsSubstring("fused, as a clamp"));
  CHECK_THAT(full.out, ContainsSubstring("activation rounding"));
  CHECK(run_program({"explain", plan, "--onnx", kOnnx}).failed_well(2));
}

TEST_CASE("cli: compile --report writes a page about the plan, with calibration data and without") {
  TemporaryDirectory dir;
  const std::string page = dir.file("page.html");
  Ended ended = run_program(compile_int8(dir) + std::vector<std::string>{"--report", page});
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  CHECK_THAT(read_back(page), ContainsSubstring("The error by cause"));
  CHECK_THAT(read_back(page), ContainsSubstring("class=\"hist\""));
  REQUIRE(run_program({"compile", kOnnx, "-o", dir.file("f.bantam"), "--report", page}).status == 0);
  CHECK_THAT(read_back(page), ContainsSubstring("Op by op"));
  CHECK(read_back(page).find("The error by cause") == std::string::npos);
}

TEST_CASE("cli: a report that cannot be written is told before the work, and there is no plan") {
  TemporaryDirectory dir;
  for (const std::string& page :
       {dir.file("no/such/folder/page.html"), dir.path(), std::string("/proc/page.html")}) {
    INFO(page);
    Ended ended = run_program(compile_int8(dir) + std::vector<std::string>{"--report", page});
    CHECK(ended.failed_well(1));
    CHECK_THAT(ended.err, ContainsSubstring(page));
    CHECK_FALSE(std::filesystem::exists(dir.file("plan.bantam")));
  }
  const std::string plan = compile_digits(dir, "int8");
  const std::vector<std::string> page = {"--report", dir.file("no/page.html")};
  CHECK(run_program(std::vector<std::string>{"explain", plan} + page).failed_well(1));
  CHECK(run_program(std::vector<std::string>{"diff", kOnnx, plan} + kSamples + page).failed_well(1));
  CHECK(run_program({"compile", kOnnx, "--stop-after", "import", "--report", dir.file("page.html")})
            .failed_well(2));
}

}  // namespace
}  // namespace bantam::tools
