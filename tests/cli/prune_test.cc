// Pruning from the command line.
#include <catch2/matchers/catch_matchers_string.hpp>

#include "measured.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("cli: a pruned network is smaller and nearly as good, as a plan and as ONNX") {
  TemporaryDirectory dir;
  const std::string whole = compile_digits(dir, "fp32");
  const std::string plan = dir.file("pruned.bantam"), onnx = dir.file("pruned.onnx");
  const Arguments prune = Arguments{"--prune", "30%"} + kCalibration + kImageFlags;
  REQUIRE(run_program(Arguments{"compile", kOnnx, "-o", plan} + prune).status == 0);
  const double macs = json_of({"inspect", whole})["macs"].get<double>();
  CHECK(json_of({"inspect", plan})["macs"].get<double>() <= 0.7 * macs);
  CHECK(top1(plan) > 0.97);
  REQUIRE(run_program(Arguments{"prune", kOnnx, "-o", onnx} + prune).status == 0);
  CHECK(top1(onnx, kImageFlags) == top1(plan));
}

TEST_CASE("cli: a pruned network is quantized as any other") {
  TemporaryDirectory dir;
  const std::string plan = dir.file("pruned.bantam"), whole = dir.file("whole.bantam");
  const Arguments int8 = Arguments{"--precision", "int8"} + kCalibration + kImageFlags;
  REQUIRE(run_program(Arguments{"compile", kOnnx, "-o", whole} + int8).status == 0);
  REQUIRE(run_program(Arguments{"compile", kOnnx, "-o", plan, "--prune", "30%"} + int8).status == 0);
  const Json pruned = json_of({"inspect", plan});
  CHECK(pruned["precision"] == "int8");
  CHECK(pruned["macs"].get<double>() <= 0.7 * json_of({"inspect", whole})["macs"].get<double>());
  CHECK(pruned["plan_bytes"] < json_of({"inspect", whole})["plan_bytes"]);
  CHECK(top1(plan) > 0.97);
  CHECK(run_program({"verify", plan}).status == 0);
}

TEST_CASE("cli: without a ratio only zeros go") {
  TemporaryDirectory dir;
  const std::string onnx = dir.file("same.onnx");
  Ended ended = run_program({"prune", kOnnx, "-o", onnx});
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  CHECK(top1(onnx, kImageFlags) == top1(kOnnx, kImageFlags));
}

TEST_CASE("cli misuse: pruning says what is wrong and leaves nothing behind") {
  TemporaryDirectory dir;
  const std::string output = dir.file("x.onnx");
  const auto check_fails = [&](const Arguments& more, int status, const std::string& says) {
    Ended ended = run_program(Arguments{"prune", kOnnx, "-o", output} + more);
    INFO(ended.err);
    CHECK(ended.failed_well(status));
    CHECK_THAT(ended.err, ContainsSubstring(says));
    CHECK(!std::filesystem::exists(output));
  };
  const Arguments data = kCalibration + kImageFlags;
  check_fails(Arguments{"--prune", "30%flops"} + data, 2, "'flops'");
  check_fails(Arguments{"--prune", "30"} + data, 2, "30%params");
  check_fails(Arguments{"--prune", "macs"} + data, 2, "30%params");
  check_fails(Arguments{"--prune", "100%macs"} + data, 2, "between 0 and 100");
  check_fails(Arguments{"--prune", "-3%macs"} + data, 2, "between 0 and 100");
  check_fails({"--prune", "30%macs"}, 2, "--calibrate");
  check_fails({"--prune-by", "l1"}, 2, "--prune only");
  check_fails(Arguments{"--prune", "30%macs", "--prune-by", "luck"} + data, 2, "luck");
  check_fails(Arguments{"--prune", "99.9%params"} + data, 1, "without channels");
  check_fails(Arguments{"--prune", "30%macs", "--calibrate", dir.file("absent")} + kImageFlags, 1, "absent");
}

}  // namespace
}  // namespace bantam::tools
