// Sparsity from the command line.
#include <catch2/matchers/catch_matchers_string.hpp>

#include "measured.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("cli: zeros make a plan smaller, in fp32 and int8, and say so") {
  TemporaryDirectory dir;
  for (const char* precision : {"fp32", "int8"}) {
    INFO(precision);
    const std::string whole = compile_digits(dir, precision), plan = dir.file("sparse.bantam");
    const Arguments flags = {"compile", kOnnx, "-o", plan, "--precision", precision, "--sparsity", "0.6"};
    Ended ended = run_program(flags + kCalibration + kImageFlags);
    INFO(ended.err);
    REQUIRE(ended.status == 0);
    CHECK_THAT(ended.out, ContainsSubstring("60.0 % of ") && ContainsSubstring("by second order on "));
    const Json sparse = json_of({"inspect", plan}), dense = json_of({"inspect", whole});
    const double before = dense["weights_bytes"].get<double>(), after = sparse["weights_bytes"].get<double>();
    CHECK(after < (precision == std::string("fp32") ? 0.55 : 0.75) * before);
    CHECK(dense["weights_zeros"] == 0);
    CHECK(dense["left_out_bytes"] == 0);
    CHECK(sparse["weights_count"] == dense["weights_count"]);
    CHECK(sparse["weights_zeros"].get<double>() > 0.5 * sparse["weights_count"].get<double>());
    CHECK(sparse["provenance"]["options"].get<std::string>().find("--sparsity 0.6") != std::string::npos);
    uint64_t left_out = 0;
    for (const Json& op : sparse["ops"])
      left_out += op["weights_bytes"].get<uint64_t>() - op["stored_bytes"].get<uint64_t>();
    CHECK(sparse["left_out_bytes"] == left_out);
    CHECK(top1(plan) > 0.96);
    CHECK(run_program({"verify", plan}).status == 0);
    CHECK_THAT(run_program({"inspect", plan}).out, ContainsSubstring("weights are zero and not stored"));
    CHECK_THAT(run_program({"explain", plan}).out, ContainsSubstring("zero and not stored: the plan takes "));
    CHECK(json_of({"explain", plan})["left_out_bytes"] == left_out);
  }
}

TEST_CASE("cli: without samples the smallest weights go, with a word on what samples would do") {
  TemporaryDirectory dir;
  const std::string plan = dir.file("sparse.bantam");
  Ended ended = run_program(Arguments{"compile", kOnnx, "-o", plan, "--sparsity", "40%"} + kImageFlags);
  REQUIRE(ended.status == 0);
  CHECK_THAT(ended.err, ContainsSubstring("--sparsity without --calibrate"));
  CHECK_THAT(ended.out, ContainsSubstring("by magnitude"));
  ended =
      run_program(Arguments{"compile", kOnnx, "-o", plan, "--sparsity", "40%", "--sparsity-by", "magnitude"} +
                  kImageFlags);
  CHECK(ended.status == 0);
  CHECK(ended.err.empty());
}

TEST_CASE("cli: a cache of packed weights serves a plan without zeros as any other") {
  TemporaryDirectory dir;
  const std::string plan = dir.file("sparse.bantam"), cache = dir.file("cache"),
                    image = kDigits + "/test/000.png";
  REQUIRE(run_program(Arguments{"compile", kOnnx, "-o", plan, "--sparsity", "60%", "--precision", "int8"} +
                      kCalibration + kImageFlags)
              .status == 0);
  const Ended plain = run_program({"run", plan, "--input", image});
  REQUIRE(plain.status == 0);
  for (int i = 0; i < 2; ++i)
    CHECK(run_program({"run", plan, "--input", image, "--cache", cache}).out == plain.out);
}

TEST_CASE("cli misuse: sparsity says what is wrong and leaves nothing behind") {
  TemporaryDirectory dir;
  const std::string output = dir.file("x.bantam");
  const auto check_fails = [&](const Arguments& more, int status, const std::string& says) {
    Ended ended = run_program(Arguments{"compile", kOnnx, "-o", output} + more + kImageFlags);
    INFO(ended.err);
    CHECK(ended.failed_well(status));
    CHECK_THAT(ended.err, ContainsSubstring(says));
    CHECK(!std::filesystem::exists(output));
  };
  check_fails({"--sparsity", "half"}, 2, "0.5 or 50%");
  check_fails({"--sparsity", "0.5x"}, 2, "0.5 or 50%");
  check_fails({"--sparsity", "50"}, 2, "between 0 and 1");
  check_fails({"--sparsity", "0"}, 2, "between 0 and 1");
  check_fails({"--sparsity", "100%"}, 2, "between 0 and 1");
  check_fails({"--sparsity", "-0.5"}, 2, "between 0 and 1");
  check_fails({"--sparsity", "nan"}, 2, "between 0 and 1");
  check_fails({"--sparsity-by", "magnitude"}, 2, "goes with --sparsity only");
  check_fails({"--sparsity", "0.5", "--sparsity-by", "luck"}, 2, "luck");
  check_fails({"--sparsity", "0.5", "--sparsity-by", "second-order"}, 2, "needs --calibrate");
  check_fails({"--sparsity", "0.5", "--calibrate", dir.file("absent")}, 1, "absent");
}

}  // namespace
}  // namespace bantam::tools
