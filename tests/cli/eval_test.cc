// `bantam eval` of models that score no classes.
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <fstream>

#include "measured.h"
#include "op_case.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
// A map that is `factor` times what is positive of the input.
std::string scaled(const TemporaryDirectory& dir, const char* name, float factor) {
  const tests::OpCase net = {"net",
                             17,
                             {{"x", {1, 2, 4, 4}}},
                             {tests::number("f", factor)},
                             {{"Relu", {"x"}, {}, {"r"}}, {"Mul", {"r", "f"}}}};
  std::ofstream(dir.file(name), std::ios::binary) << tests::build_model(net).SerializeAsString();
  return dir.file(name);
}

std::string ramp(const TemporaryDirectory& dir) {
  std::vector<float> values(3 * 2 * 4 * 4);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 20;
  return save_npy(dir, "x.npy", plan::DType::kFloat32, {3, 2, 4, 4}, values);
}

TEST_CASE("cli: outputs that are no classes are compared with another model's") {
  TemporaryDirectory dir;
  const std::string whole = scaled(dir, "whole.onnx", 1), less = scaled(dir, "less.onnx", 0.9f);
  const Json scores = json_of({"eval", less, "--inputs", ramp(dir), "--against", whole});
  CHECK(scores["samples"] == 3);
  CHECK_FALSE(scores.contains("agreement"));
  REQUIRE(scores["outputs"].size() == 1);
  CHECK(scores["outputs"][0]["name"] == "y");
  CHECK(std::abs(scores["outputs"][0]["sqnr_db"].get<double>() - 20) < 0.01);
  CHECK(std::abs(scores["outputs"][0]["max_error"].get<double>() - 7.5) < 1e-4);
  CHECK(
      json_of({"eval", whole, "--inputs", ramp(dir), "--against", whole})["outputs"][0]["sqnr_db"].is_null());
}

TEST_CASE("cli: labels need classes, and a comparison the same outputs") {
  TemporaryDirectory dir;
  const std::string model = scaled(dir, "m.onnx", 1), data = ramp(dir);
  const Ended labelled = run_program({"eval", model, "--inputs", data, "--labels", data});
  CHECK(labelled.status == 1);
  CHECK_THAT(labelled.err, ContainsSubstring("labels need one score per class"));
  const Ended compared = run_program({"eval", model, "--inputs", data, "--against", kOnnx});
  CHECK(compared.status == 1);
  CHECK_THAT(compared.err, ContainsSubstring("its outputs are 1x10, not 1x2x4x4"));
}

}  // namespace
}  // namespace bantam::tools
