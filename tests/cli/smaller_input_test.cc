// Searches within budgets that may choose a smaller input, and plans that came of it.
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>
#include <random>

#include "measured.h"
#include "op_case.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
using tests::Attr;
using tests::ints;
using tests::OpCase;

constexpr int64_t kSamples = 72;

// What it takes is its input: 48 kB, and as many in another order, of which no pruning makes less.
OpCase classifier() {
  return {"net",
          17,
          {{"x", {1, 3, 64, 64}}},
          {tests::weights("w", {4, 3, 3, 3}), tests::weights("f", {4, 5})},
          {{"Conv", {"x", "w"}, {{"pads", ints{1, 1, 1, 1}}, {"strides", ints{2, 2}}}, {"c"}},
           {"Relu", {"c"}, {}, {"r"}},
           {"AveragePool", {"r"}, {{"kernel_shape", ints{32, 32}}}, {"p"}},
           {"Flatten", {"p"}, {}, {"flat"}},
           {"Gemm", {"flat", "f"}, {}, {"y"}}}};
}

OpCase with_flatten() {
  OpCase it = classifier();
  it.constants[1].shape = {int64_t{4} * 32 * 32, 5};
  it.nodes.erase(it.nodes.begin() + 2);
  it.nodes[2].inputs = {"r"};
  return it;
}

std::string save(const TemporaryDirectory& dir, const OpCase& it) {
  std::ofstream(dir.file("m.onnx"), std::ios::binary) << tests::build_model(it).SerializeAsString();
  return dir.file("m.onnx");
}

// Smooth: each sample has a level and a slope.
template <typename T>
std::string samples(const TemporaryDirectory& dir, const char* name, plan::DType dtype, ints shape) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> level(0, 100);
  const int64_t each = shape[0] * shape[1] * shape[2];
  std::vector<T> values;
  for (int64_t i = 0; i < kSamples; ++i) {
    const float base = level(random), slope = level(random);
    for (int64_t j = 0; j < each; ++j)
      values.push_back(static_cast<T>(base + slope * static_cast<float>(j) / static_cast<float>(each)));
  }
  shape.insert(shape.begin(), kSamples);
  return save_npy(dir, name, dtype, shape, values);
}

Json search(const Arguments& arguments) {
  return json_of(Arguments{"compile", "--precision", "fp32", "--no-doctor", "--max-memory", "60KB",
                           "--allow-smaller-input"} +
                 arguments);
}

TEST_CASE("cli: a budget that only a smaller input keeps gets one, and the plan takes that") {
  TemporaryDirectory dir;
  const std::string onnx = save(dir, classifier()), plan = dir.file("m.bantam"), page = dir.file("m.html");
  const std::string data = samples<float>(dir, "x.npy", plan::DType::kFloat32, {3, 64, 64});
  const Json found = search({onnx, "-o", plan, "--calibrate", data, "--report", page});
  CHECK(found["chosen"]["input"] == Json{{"height", 48}, {"width", 48}});
  CHECK_THAT(found["reason"].get<std::string>(), ContainsSubstring("it would miss the budget of memory"));
  CHECK(json_of({"inspect", plan})["inputs"][0]["shape"] == Json{1, 3, 48, 48});
  CHECK_THAT(read_back(page), ContainsSubstring("fp32, input 48x48"));
  CHECK(run_program({"verify", plan}).status == 0);

  const Ended whole = run_program({"run", plan, "--input", data});
  CHECK(whole.failed_well(1));
  CHECK_THAT(whole.err, ContainsSubstring("but the model takes float32[1x3x48x48]"));
  const std::string small = samples<float>(dir, "small.npy", plan::DType::kFloat32, {3, 48, 48});
  CHECK(run_program({"run", plan, "--input", small}).status == 0);
  CHECK(run_program({"diff", onnx, plan, "--inputs", small}).status == 0);
}

TEST_CASE("cli: a plan of images for a smaller input resizes them itself") {
  TemporaryDirectory dir;
  const std::string onnx = save(dir, classifier()), plan = dir.file("m.bantam");
  const std::string data = samples<uint8_t>(dir, "x.npy", plan::DType::kUInt8, {64, 64, 3});
  const Json found = search({onnx, "-o", plan, "--calibrate", data, "--image", "rgb"});
  REQUIRE(found["chosen"]["input"].is_object());
  const auto side = found["chosen"]["input"]["height"].get<int>();
  CHECK(json_of({"inspect", plan})["inputs"][0]["shape"] == Json{1, side, side, 3});
  CHECK(run_program({"run", plan, "--input", data}).status == 0);
  const std::string labels =
      save_npy(dir, "labels.npy", plan::DType::kInt64, {kSamples}, std::vector<int64_t>(kSamples, 0));
  const Json scores =
      json_of({"eval", plan, "--inputs", data, "--labels", labels, "--against", onnx, "--image", "rgb"});
  CHECK(scores["samples"] == kSamples);
  CHECK(scores["agreement"] > 0.5);
}

TEST_CASE("cli: a model whose input cannot be smaller keeps it, and one line says why") {
  TemporaryDirectory dir;
  const std::string onnx = save(dir, with_flatten()), plan = dir.file("m.bantam");
  const std::string data = samples<float>(dir, "x.npy", plan::DType::kFloat32, {3, 64, 64});
  const Ended ended = run_program({"compile", onnx, "-o", plan, "--precision", "fp32", "--no-doctor",
                                   "--max-memory", "1MB", "--allow-smaller-input", "--calibrate", data});
  CHECK(ended.status == 0);
  CHECK_THAT(ended.err,
             ContainsSubstring("the input keeps its size: at 56x56,") && ContainsSubstring("Gemm node"));
  CHECK(json_of({"inspect", plan})["inputs"][0]["shape"] == Json{1, 3, 64, 64});
}

TEST_CASE("cli misuse: a smaller input without budgets") {
  TemporaryDirectory dir;
  const Ended ended = run_program({"compile", kOnnx, "-o", dir.file("x.bantam"), "--allow-smaller-input"});
  CHECK(ended.failed_well(2));
  CHECK_THAT(ended.err, ContainsSubstring("--allow-smaller-input goes with a search"));
}

}  // namespace
}  // namespace bantam::tools
