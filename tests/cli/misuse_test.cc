// What the commands do when something is wrong: one line that says what and where, a status, nothing
// half-written.
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "fixture.h"
#include "support/plan_builder.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
using Arguments = std::vector<std::string>;
using Json = nlohmann::json;
using test::AlignedBytes;

void check_fails(const Arguments& arguments, int status, const std::string& says, const Limits& limits = {}) {
  Ended ended = run_program(arguments, limits);
  std::string command = "bantam";
  for (const std::string& argument : arguments) command += " " + argument;
  INFO(command << "\n" << ended.err);
  CHECK(ended.failed_well(status));
  CHECK_THAT(ended.err, ContainsSubstring(says));
  CHECK(ended.out.empty());
}

size_t entries(const std::string& folder) {
  std::filesystem::directory_iterator first(folder), last;
  return static_cast<size_t>(std::distance(first, last));
}

TEST_CASE("cli misuse: wrong usage ends with 2") {
  check_fails({}, 2, "subcommand");
  check_fails({"frobnicate"}, 2, "--help");
  check_fails({"compile"}, 2, "model");
  check_fails({"compile", kOnnx}, 2, "-o M.bantam");
  check_fails({"compile", kOnnx, "-o", "x", "--precision", "int4"}, 2, "int4");
  check_fails({"compile", kOnnx, "-o", "x", "--precision", "int8"}, 2, "--calibrate");
  check_fails({"compile", kOnnx, "-o", "x", "--calibrate", "y"}, 2, "--precision int8");
  check_fails({"compile", kOnnx, "-o", "x", "--quantize-passes", "round"}, 2, "--precision int8");
  check_fails({"compile", kOnnx, "-o", "x", "--precision", "int8", "--calibrate", "y", "--quantize-passes",
               "round,luck"},
              2, "no pass 'luck'");
  check_fails({"compile", kOnnx, "-o", "x", "--mean", "1"}, 2, "--image");
  check_fails({"compile", kOnnx, "-o", "x", "--image", "cmyk"}, 2, "cmyk");
  check_fails({"compile", kOnnx, "-o", "x", "--image", "rgb", "--mean", "1,2"}, 2, "2 values");
  check_fails({"compile", kOnnx, "-o", "x", "--image", "rgb", "--std", "1,0,1"}, 2, "greater than 0");
  check_fails({"compile", kOnnx, "-o", "x", "--image", "gray", "--resize", "32", "--crop", "64"}, 2,
              "--crop 64");
  for (const char* shape : {"image", "image=", "=1x2", "image=1xx2", "image=1x2x", "image=0x1", "image=-1",
                            "image=99999999999999"}) {
    check_fails({"compile", kOnnx, "-o", "x", "--shape", shape}, 2, "--shape");
  }
  check_fails({"eval", kOnnx, "--inputs", "x"}, 2, "--labels");
  check_fails({"run", "x.bantam"}, 2, "--input");
  for (const char* threads : {"0", "-1", "1025", "best", "2.5", ""}) {
    check_fails({"bench", "x.bantam", "--threads", threads}, 2, "--threads");
  }
}

TEST_CASE("cli misuse: files that are not there or not what they should be") {
  TemporaryDirectory dir;
  std::string absent = dir.file("absent"), text = dir.write("text.onnx", "this is no model");
  for (const char* command : {"verify", "bench", "inspect"}) check_fails({command, absent}, 1, absent);
  check_fails({"compile", absent, "-o", dir.file("x")}, 1, absent);
  check_fails({"compile", text, "-o", dir.file("x")}, 1, "text.onnx");
  check_fails({"compile", dir.path(), "-o", dir.file("x")}, 1, dir.path());
  check_fails({"compile", dir.write("empty.onnx", ""), "-o", dir.file("x")}, 1, "empty.onnx");
  check_fails({"verify", text}, 1, "text.onnx");
  check_fails({"inspect", dir.path()}, 1, "folder");
  CHECK_FALSE(std::filesystem::exists(dir.file("x")));
}

TEST_CASE("cli misuse: damaged plans are refused by every command") {
  TemporaryDirectory dir;
  std::string good = read_back(compile_digits(dir, "fp32"));
  std::vector<std::string> damaged = {good.substr(0, 10), good.substr(0, 64), good.substr(0, good.size() / 2),
                                      good.substr(0, good.size() - 1), good + "x"};
  for (size_t at : {size_t{4}, size_t{10}, size_t{40}, size_t{100}, good.size() / 2, good.size() - 200}) {
    damaged.push_back(good);
    damaged.back()[at] = static_cast<char>(damaged.back()[at] ^ 0x10);
  }
  for (const std::string& bytes : damaged) {
    std::string path = dir.write("bad.bantam", bytes);
    check_fails({"inspect", path}, 1, "bad.bantam");
    check_fails({"run", path, "--input", kDigits + "/test/000.png"}, 1, "bad.bantam");
  }
}

TEST_CASE("cli misuse: calibration data") {
  TemporaryDirectory dir;
  std::string out = dir.file("x.bantam");
  Arguments compile = {"compile", kOnnx, "-o", out, "--precision", "int8"};
  std::filesystem::create_directory(dir.file("empty"));
  check_fails(compile + kImageFlags + Arguments{"--calibrate", dir.file("empty")}, 1, "holds no images");
  check_fails(compile + kImageFlags + Arguments{"--calibrate", dir.file("absent")}, 1, "absent");
  check_fails(compile + Arguments{"--calibrate", kDigits + "/calib"}, 1, "--image");
  std::filesystem::create_directory(dir.file("broken"));
  dir.write("broken/a.png", "not a picture");
  check_fails(compile + kImageFlags + Arguments{"--calibrate", dir.file("broken")}, 1, "a.png");

  std::vector<float> values(2 * 1024, 0.5f);
  values[1500] = NAN;
  std::string nan = save_npy(dir, "nan.npy", plan::DType::kFloat32, {2, 1, 32, 32}, values);
  check_fails(compile + Arguments{"--calibrate", nan}, 1, "NaN");
  std::string wrong =
      save_npy(dir, "wrong.npy", plan::DType::kFloat32, {2, 1, 31, 32}, std::vector<float>(2 * 31 * 32));
  check_fails(compile + Arguments{"--calibrate", wrong}, 1, "1x31x32");
  std::string none = save_npy(dir, "none.npy", plan::DType::kFloat32, {0, 1, 32, 32}, std::vector<float>());
  check_fails(compile + Arguments{"--calibrate", none}, 1, "no samples");
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("cli misuse: constant calibration data gives a plan or one line, never a crash") {
  TemporaryDirectory dir;
  std::string zeros =
      save_npy(dir, "zeros.npy", plan::DType::kFloat32, {4, 1, 32, 32}, std::vector<float>(4 * 1024));
  Ended ended = run_program(
      {"compile", kOnnx, "-o", dir.file("x.bantam"), "--precision", "int8", "--calibrate", zeros});
  INFO(ended.err);
  CHECK((ended.status == 0 || ended.failed_well(1)));
}

TEST_CASE("cli misuse: shapes that contradict the model") {
  TemporaryDirectory dir;
  std::string out = dir.file("x.bantam");
  check_fails({"compile", kOnnx, "-o", out, "--shape", "image=1x3x32x32"}, 1, "image");
  check_fails({"compile", kOnnx, "-o", out, "--shape", "nothing=1x1x32x32"}, 1, "nothing");
  check_fails({"compile", kOnnx, "-o", out, "--shape", "image=1x1x32"}, 1, "image");
  check_fails({"compile", kOnnx, "-o", out, "--image", "rgb"}, 1, "image");
}

TEST_CASE("cli misuse: labels") {
  TemporaryDirectory dir;
  std::string plan = compile_digits(dir, "fp32");
  Arguments eval = {"eval", plan, "--inputs", kDigits + "/test", "--labels"};
  check_fails(eval + Arguments{dir.write("short.csv", "000.png,1\n001.png,2\n")}, 1, "no label for 002.png");
  check_fails(eval + Arguments{dir.write("empty.csv", "")}, 1, "no labels");
  check_fails(eval + Arguments{dir.write("words.csv", "000.png,1\n001.png,two\n")}, 1, "words.csv:2");
  check_fails(eval + Arguments{save_npy(dir, "l.npy", plan::DType::kInt64, {2}, std::vector<int64_t>{1, 2})},
              1, "2 labels for 500");
  check_fails(eval + Arguments{dir.write("range.csv", "000.png,10\n"), "--limit", "1"}, 1, "0 to 9");
}

TEST_CASE("cli misuse: inputs of run") {
  TemporaryDirectory dir;
  std::string plan = compile_digits(dir, "fp32"), image = kDigits + "/test/000.png";
  check_fails({"run", plan, "--input", dir.write("a.png", "no picture")}, 1, "a.png");
  check_fails({"run", plan, "--input", "other=" + image}, 1, "other=");
  check_fails({"run", plan, "--input", image, "--input", image}, 1, "2 inputs are given");
  check_fails({"run", plan, "--input", image, "--output", plan}, 1, "folder");
  check_fails({"run", plan, "--input", image, "--labels", plan}, 2, "--top");
  check_fails({"run", plan, "--input", image, "--top", "1", "--labels", dir.write("c", "zero\none\n")}, 1,
              "names 2 classes");
  std::string floats =
      save_npy(dir, "f.npy", plan::DType::kFloat32, {1, 32, 32, 1}, std::vector<float>(1024));
  check_fails({"run", plan, "--input", floats}, 1, "f.npy");
  std::string large = save_npy(dir, "l.npy", plan::DType::kUInt8, {1, 40, 32, 1}, std::vector<uint8_t>(1280));
  check_fails({"run", plan, "--input", large}, 1, "1x40x32x1");

  std::string tensor_plan = dir.file("tensor.bantam");
  REQUIRE(run_program({"compile", kOnnx, "-o", tensor_plan}).status == 0);
  check_fails({"run", tensor_plan, "--input", image}, 1, "image options");
  check_fails({"eval", tensor_plan, "--inputs", floats, "--labels", floats}, 1, "f.npy");
  check_fails({"eval", tensor_plan, "--inputs", kDigits + "/test", "--labels", floats, "--image", "gray"}, 1,
              "without image options");
}

TEST_CASE("cli misuse: a place that cannot be written, and a full disk, leave what was there") {
  TemporaryDirectory dir;
  std::filesystem::create_directory(dir.file("folder"));
  check_fails({"compile", kOnnx, "-o", dir.file("absent/x.bantam")}, 1, "absent/x.bantam");
  check_fails({"compile", kOnnx, "-o", dir.file("folder")}, 1, "is a folder");
  std::string old = dir.write("old.bantam", "the old plan");
  size_t before = entries(dir.path());
  check_fails({"compile", kOnnx, "-o", old}, 1, "unchanged", {.file_bytes = 4096});
  CHECK(read_back(old) == "the old plan");
  CHECK(entries(dir.path()) == before);
  check_fails({"compile", kOnnx, "-o", "/dev/full"}, 1, "No space left");

  std::string good = compile_digits(dir, "fp32");
  before = entries(dir.path());
  Arguments run = {"run", good, "--input", kDigits + "/test/000.png", "--output", dir.file("outputs")};
  check_fails(run, 1, "logits.npy", {.file_bytes = 100});
  CHECK(entries(dir.file("outputs")) == 0);
}

TEST_CASE("cli misuse: a full disk behind standard output is a failure") {
  TemporaryDirectory dir;
  std::string plan = compile_digits(dir, "fp32");
  check_fails({"inspect", plan, "--json"}, 1, "standard output", {.standard_output = "/dev/full"});
}

// The plan with other golden hashes of some ops, which then are those of another machine's results.
AlignedBytes with_golden(const std::string& plan, const std::vector<size_t>& changed) {
  const AlignedBytes file(plan.data(), plan.size());
  PlanHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  const std::byte* metadata = file.data() + sizeof(header);
  const std::byte* weights = file.data() + header.weights_offset;
  std::unique_ptr<plan::PlanT> content(plan::GetPlan(metadata)->UnPack());
  for (size_t op : changed) {
    REQUIRE(content->ops.at(op)->golden != 0);
    content->ops[op]->golden ^= 1;
  }
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(plan::Plan::Pack(builder, content.get()));
  return test::plan_file(builder.GetBufferPointer(), builder.GetSize(),
                         {weights, weights + header.weights_bytes});
}

TEST_CASE("cli: verify names the first op that differs") {
  TemporaryDirectory dir;
  std::string good = read_back(compile_digits(dir, "int8"));
  auto write = [&](const AlignedBytes& plan) {
    return dir.write("changed.bantam", {reinterpret_cast<const char*>(plan.data()), plan.size()});
  };
  CHECK(run_program({"verify", write(with_golden(good, {}))}).status == 0);
  std::string changed = write(with_golden(good, {2, 4}));
  std::string name = Json::parse(run_program({"inspect", changed, "--json"}).out)["ops"][2]["name"];
  CHECK_FALSE(name.empty());
  check_fails({"verify", changed}, 1, "the first difference is op 2, ");
  check_fails({"verify", changed}, 1, " " + name + " (");
  check_fails({"verify", changed}, 1, "), 2 of ");
  Ended ended = run_program({"verify", changed, "--json"});
  CHECK(ended.failed_well(1));
  Json result = Json::parse(ended.out);
  CHECK(result["matches"] == false);
  CHECK(result["first_op"] == 2);
  CHECK(result["first_op_name"] == name);
  CHECK(result["ops_different"] == 2);
  CHECK(result["outputs_different"] == 0);
  CHECK(result["expected"] != result["actual"]);
}

TEST_CASE("cli misuse: a plan without golden results cannot be verified") {
  TemporaryDirectory dir;
  std::string plan = dir.file("tensor.bantam");
  REQUIRE(run_program({"compile", kOnnx, "-o", plan}).status == 0);
  check_fails({"verify", plan}, 1, "no golden hashes");
}

}  // namespace
}  // namespace bantam::tools
