// What the commands do when all is well.
#include <catch2/catch_approx.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "fixture.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
using Json = nlohmann::json;
using Shape = std::vector<int64_t>;

Json json_of(const std::vector<std::string>& arguments) {
  Ended ended = run_program(arguments + std::vector<std::string>{"--json"});
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  REQUIRE(std::count(ended.out.begin(), ended.out.end(), '\n') == 1);
  return Json::parse(ended.out);
}

double top1(const std::string& model, const std::vector<std::string>& more = {}) {
  std::vector<std::string> data = {"--inputs", kDigits + "/test", "--labels", kDigits + "/test/labels.csv"};
  return json_of(std::vector<std::string>{"eval", model} + data + more)["top1"].get<double>();
}

TEST_CASE("cli: help and version go to standard output") {
  for (const char* command : {"compile", "eval", "run", "bench", "verify", "inspect", "diff", "explain"}) {
    Ended ended = run_program({command, "--help"});
    CHECK(ended.status == 0);
    CHECK(ended.err.empty());
    CHECK_THAT(ended.out, ContainsSubstring("--help"));
  }
  CHECK(run_program({"--version"}).out.find('.') != std::string::npos);
}

TEST_CASE("cli: fp32 keeps the network's accuracy, from the ONNX file and from the plan") {
  TemporaryDirectory dir;
  std::string plan = compile_digits(dir, "fp32");
  CHECK(top1(kOnnx, kImageFlags) == Catch::Approx(0.992));
  CHECK(top1(plan) == Catch::Approx(0.992));
  CHECK(top1(plan, kImageFlags) == Catch::Approx(0.992));
  CHECK(top1(plan, {"--limit", "86", "--threads", "2"}) == 1.0);  // the first mistake is 086.png
}

TEST_CASE("cli: int8 is smaller, nearly as accurate, verifies, and is close layer by layer") {
  TemporaryDirectory dir;
  std::string fp32 = compile_digits(dir, "fp32"), int8 = compile_digits(dir, "int8");
  CHECK(std::filesystem::file_size(int8) < 0.45 * static_cast<double>(std::filesystem::file_size(fp32)));
  Json scores = json_of({"eval", int8, "--inputs", kDigits + "/test", "--labels",
                         kDigits + "/test/labels.csv", "--against", fp32});
  CHECK(scores["samples"] == 500);
  CHECK(scores["top1"].get<double>() > 0.98);
  CHECK(scores["top5"].get<double>() >= scores["top1"].get<double>());
  CHECK(scores["agreement"].get<double>() > 0.98);
  CHECK(scores["outputs"][0]["sqnr_db"].get<double>() > 20);
  CHECK(run_program({"verify", int8}).status == 0);
  CHECK(json_of({"verify", int8})["matches"] == true);
  Json difference = json_of({"diff", kOnnx, int8, "--inputs", kDigits + "/calib", "--limit", "10"});
  CHECK(difference["outputs"][0]["sqnr_db"].get<double>() > 20);
  CHECK(difference["layers"].size() > 5);
}

TEST_CASE("cli: the same compilation gives the same bytes") {
  TemporaryDirectory first, second;
  CHECK(read_back(compile_digits(first, "int8")) == read_back(compile_digits(second, "int8")));
}

TEST_CASE("cli: what the samples lack is said before calibration, and changes nothing in the plan") {
  TemporaryDirectory dir;
  auto compile = [&](const std::string& name, const std::vector<std::string>& more) {
    const std::vector<std::string> arguments = {
        "compile",           kOnnx,  "-o",          dir.file(name),
        "--precision",       "int8", "--calibrate", kDigits + "/calib",
        "--calibrate-limit", "8"};
    const Ended ended = run_program(arguments + kImageFlags + more);
    INFO(ended.err);
    REQUIRE(ended.status == 0);
    return ended.err;
  };
  CHECK_THAT(compile("a", {}), ContainsSubstring("bantam: calibration: 8 samples"));
  CHECK_THAT(compile("b", {"--no-doctor"}), !ContainsSubstring("bantam: calibration:"));
  CHECK(read_back(dir.file("a")) == read_back(dir.file("b")));
}

TEST_CASE("cli: inspect and bench give their keys") {
  TemporaryDirectory dir;
  std::string plan = compile_digits(dir, "fp32");
  Json facts = json_of({"inspect", plan});
  for (const char* key :
       {"precision", "arena_bytes", "weights_bytes", "plan_bytes", "macs", "inputs", "outputs", "ops"}) {
    CHECK(facts.contains(key));
  }
  CHECK(facts["precision"] == "fp32");
  // What fp32 kernels take by themselves; a plan of a few ops is far from needing them all.
  CHECK(facts["selective_build_bytes"].get<int>() > 60000);
  CHECK(facts["selective_build_bytes"].get<int>() < 700000);
  CHECK(facts["plan_bytes"] == std::filesystem::file_size(plan));
  CHECK(facts["inputs"][0]["dtype"] == "uint8");
  CHECK(facts["inputs"][0]["shape"] == Json({1, 32, 32, 1}));
  CHECK(facts["preprocessing"]["image"] == "gray");
  CHECK(json_of({"inspect", kOnnx})["inputs"][0]["shape"] == Json({1, 1, 32, 32}));
  Json speed = json_of({"bench", plan, "--min-time", "0.05", "--profile", "--threads", "2"});
  for (const char* key : {"min", "p50", "p90", "p99", "mean"})
    CHECK(speed["latency_ms"][key].get<double>() > 0);
  for (const char* key : {"threads", "load_ms", "peak_rss_bytes", "arena_bytes"})
    CHECK(speed[key].get<double>() > 0);
  CHECK(speed["ops"].size() == facts["ops"].size());
  CHECK(speed["threads"] == 2);
  for (const char* key : {"load_ms", "first_run_ms", "runs"}) CHECK(speed["cold"][key].get<double>() > 0);
  CHECK(speed["cold"]["evicted"].is_boolean());
  CHECK(speed["cold"]["latency_ms"]["p50"].get<double>() >= speed["cold"]["latency_ms"]["min"].get<double>());
  CHECK(speed["disturbance"].size() == 5);
  for (const Json& doubt : speed["doubts"]) CHECK(!doubt["text"].get<std::string>().empty());
  CHECK_FALSE(speed.contains("tried"));
}

TEST_CASE("cli: bench finds the best number of threads and says with which CPUs") {
  TemporaryDirectory dir;
  std::string plan = compile_digits(dir, "fp32");
  Json speed = json_of({"bench", plan, "--min-time", "0.05", "--threads", "auto"});
  REQUIRE(!speed["tried"].empty());
  bool found = false;
  for (const Json& tried : speed["tried"]) {
    CHECK(tried["p50"].get<double>() > 0);
    found |= tried["threads"] == speed["threads"] && tried["cpus"] == speed["cpus"];
  }
  CHECK(found);
  Ended text = run_program({"bench", plan, "--min-time", "0.05", "--threads", "auto"});
  CHECK(text.status == 0);
  for (const char* word : {"latency", "cold load", "tried", "best"})
    CHECK_THAT(text.out, ContainsSubstring(word));
}

TEST_CASE("cli: with --cache, weights are mapped from the second start on, and nothing else changes") {
  TemporaryDirectory dir;
  std::string plan = compile_digits(dir, "int8"), cache = dir.file("cache/of/weights");
  auto output = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"run", plan, "--input", kDigits + "/test/001.png"};
    Ended ended = run_program(arguments + std::vector<std::string>{"--output", dir.file("out")} + more);
    CHECK(ended.status == 0);
    CHECK(ended.err.empty());
    return read_back(dir.file("out/logits.npy"));
  };
  const std::string expected = output({});
  CHECK(output({"--cache", cache}) == expected);
  CHECK(std::distance(std::filesystem::directory_iterator(cache), {}) == 1);
  CHECK(output({"--cache", cache}) == expected);
  Json cached = json_of({"bench", plan, "--min-time", "0.01", "--cache", cache});
  CHECK(cached["cached_bytes"].get<double>() > 0);
  CHECK(cached["packed_bytes"] == 0);
  CHECK(cached["anonymous_bytes"].get<double>() > 0);
  CHECK(cached["ready_ms"].get<double>() > 0);
  // Where nothing can be written, nothing is lost.
  CHECK(output({"--cache", plan}) == expected);
  CHECK(output({"--cache", "/proc/none"}) == expected);
}

TEST_CASE("cli: run prints the best classes and stacks outputs as the inputs are stacked") {
  TemporaryDirectory dir;
  std::string plan = compile_digits(dir, "fp32");
  Ended best = run_program({"run", plan, "--input", kDigits + "/test/001.png", "--top", "1"});
  CHECK(best.status == 0);
  CHECK_THAT(best.out, ContainsSubstring("  2  "));  // its label
  CHECK(run_program({"run", plan, "--input", "image=" + kDigits + "/test/001.png"}).status == 0);
  auto shape_after = [&](const Shape& shape) {
    std::vector<uint8_t> pixels(static_cast<size_t>(element_count(shape)), 7);
    std::string input = save_npy(dir, "x.npy", plan::DType::kUInt8, shape, pixels);
    Ended ended = run_program({"run", plan, "--input", input, "--output", dir.file("out")});
    INFO(ended.err);
    REQUIRE(ended.status == 0);
    return NpyFile(dir.file("out/logits.npy")).shape();
  };
  CHECK(shape_after({1, 32, 32, 1}) == Shape{1, 10});
  CHECK(shape_after({32, 32, 1}) == Shape{1, 10});
  CHECK(shape_after({3, 32, 32, 1}) == Shape{3, 10});
  CHECK(shape_after({3, 1, 32, 32, 1}) == Shape{3, 1, 10});
}

TEST_CASE("cli: several samples give what each gives alone") {
  TemporaryDirectory dir;
  std::string plan = dir.file("tensor.bantam");
  REQUIRE(run_program({"compile", kOnnx, "-o", plan}).status == 0);
  std::vector<float> values(3 * 32 * 32);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 17) * 0.1f - 0.8f;
  std::string all = save_npy(dir, "all.npy", plan::DType::kFloat32, {3, 1, 1, 32, 32}, values);
  std::vector<float> last(values.end() - 1024, values.end());
  std::string one = save_npy(dir, "one.npy", plan::DType::kFloat32, {1, 1, 32, 32}, last);
  REQUIRE(run_program({"run", plan, "--input", all, "--output", dir.file("a")}).status == 0);
  REQUIRE(run_program({"run", plan, "--input", one, "--output", dir.file("b")}).status == 0);
  NpyFile together(dir.file("a/logits.npy")), alone(dir.file("b/logits.npy"));
  CHECK(together.shape() == Shape{3, 1, 10});
  CHECK(together.read_item(2).bytes == alone.read_all().bytes);
}

}  // namespace
}  // namespace bantam::tools
