// Profiles of devices, and what is told from them.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>

#include "emit/plan_writer.h"
#include "io/failure.h"
#include "net.h"
#include "temporary_directory.h"
#include "timing/op_timer.h"
#include "timing/time_plans.h"

namespace bantam::tests {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using tools::DeviceProfile;
using tools::OpSignature;

const tools::Machine kBoard{"Cortex-A53", "aarch64", 4};

OpSignature conv(int size, uint64_t macs) {
  return {"Conv2d " + std::to_string(size), "Conv2d int8", macs, 10, 0};
}

std::string format_text(uint64_t macs, uint64_t bytes, uint64_t outputs) {
  return "Conv2d " + std::to_string(macs) + " " + std::to_string(bytes) + " " + std::to_string(outputs);
}

std::string failure_of(const std::string& text) {
  try {
    DeviceProfile::from_json(text, "p.json");
  } catch (const tools::Failure& failure) {
    return failure.what();
  }
  return "";
}

std::vector<std::byte> small_plan() {
  Net net;
  nets()[0].build(net);
  return write_plan(net.graph, compiler::EmitOptions{});
}

TEST_CASE("a profile is read as it was written") {
  DeviceProfile profile(kBoard, 2);
  profile.set(conv(1, 1000), 0.25);
  profile.set(conv(1, 1000), 0.5);
  const DeviceProfile read = DeviceProfile::from_json(profile.to_json(), "p.json");
  CHECK(read.machine() == kBoard);
  CHECK(read.threads() == 2);
  CHECK(read.size() == 1);
  CHECK(read.find(conv(1, 1000)) == 0.5);
  CHECK(read.to_json() == profile.to_json());
}

TEST_CASE("what was not measured is told from its family") {
  DeviceProfile profile(kBoard, 1);
  for (int i = 1; i <= 4; ++i) profile.set(conv(i, 1000 * static_cast<uint64_t>(i)), 0.5 * i);
  profile.set({"Conv2d f", "Conv2d float32", 1000, 10, 0}, 7);
  CHECK(!profile.find(conv(5, 6000)));
  CHECK(profile.estimate(conv(5, 6000)) == Approx(3.0));
  CHECK(profile.estimate({"MatMul", "MatMul float32", 2000, 10, 0}) == Approx(14.0));
}

OpSignature made(uint64_t macs, uint64_t bytes, uint64_t outputs) {
  return {format_text(macs, bytes, outputs), "Conv2d int8", macs, bytes, outputs};
}

TEST_CASE("each kind of work has its price") {
  DeviceProfile profile(kBoard, 1);
  const auto ms = [](const OpSignature& op) {
    return 0.01 + 1e-6 * static_cast<double>(op.macs) + 2e-5 * static_cast<double>(op.outputs) +
           3e-6 * static_cast<double>(op.bytes);
  };
  for (uint64_t i = 0; i < 8; ++i) {
    const OpSignature op = made(50000 * (1 + i % 2), 9000 * (1 + i / 2 % 2), 1000 * (1 + 3 * (i / 4)));
    profile.set(op, ms(op));
  }
  const OpSignature small = made(20000, 5000, 500);
  CHECK(profile.estimate(small) == Approx(ms(small)).epsilon(0.01));
}

TEST_CASE("an op like those that take longer than the rest of their family takes longer, too") {
  DeviceProfile profile(kBoard, 1);
  for (uint64_t i = 1; i <= 6; ++i) {
    profile.set(made(1000 * i, 10 * i, 100 * i), 0.1 * static_cast<double>(i));
    profile.set(made(1000000 * i, 10000 * i, 100000 * i), 200.0 * static_cast<double>(i));
  }
  CHECK(profile.estimate(made(2100, 21, 210)) == Approx(0.21).epsilon(0.2));
  CHECK(profile.estimate(made(2100000, 21000, 210000)) == Approx(420.0).epsilon(0.2));
}

TEST_CASE("times that say nothing are no harm") {
  DeviceProfile profile(kBoard, 1);
  CHECK(profile.estimate(made(1000, 10, 100)) == 0);
  profile.set(made(1000, 10, 100), 0);
  CHECK(profile.estimate(made(2000, 10, 100)) < 0.001);
  CHECK(profile.estimate({"Add", "Binary int8", 0, 0, 0}) >= 0);
}

TEST_CASE("channels short of a tile count as a whole one") {
  const auto macs = [](int channels) {
    Net net;
    net.output(net.conv(net.input({1, 6, 6, 3}), channels, 3));
    return tools::op_signatures(write_plan(net.graph, compiler::EmitOptions{})).back().macs;
  };
  REQUIRE(macs(16) > 0);
  CHECK(macs(1) == macs(16));
  CHECK(macs(13) == macs(16));
  CHECK(macs(17) == 2 * macs(16));
}

TEST_CASE("what is no profile is refused, and says what to do") {
  CHECK_THAT(failure_of("garbage"),
             ContainsSubstring("p.json: is no device profile") && ContainsSubstring("bench"));
  CHECK_THAT(failure_of("{}"), ContainsSubstring("is no device profile"));
  DeviceProfile profile(kBoard, 1);
  profile.set(conv(1, 1000), 0.25);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = profile.to_json();
    text.replace(text.find(from), from.size(), to);
    return failure_of(text);
  };
  CHECK_THAT(with("\"version\":2", "\"version\":3"),
             ContainsSubstring("of version 3, this program reads version 2"));
  CHECK_THAT(with("\"ms\":0.25", "\"ms\":-1"), ContainsSubstring("negative"));
  CHECK_THAT(with("\"ms\":0.25", "\"ms\":\"x\""), ContainsSubstring("'ms' is of the wrong type"));
  CHECK_THAT(with("\"threads\":1,", ""), ContainsSubstring("'threads' is missing"));
}

TEST_CASE("plans of a machine add up in a file, that of another machine stays as it was") {
  const tools::TemporaryDirectory dir;
  const std::string file = dir.file("p.json"), plan = dir.file("p.bantam");
  const std::vector<std::byte> bytes = small_plan();
  std::ofstream(plan, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const size_t ops = tools::record_profile(file, {plan}, 1, 0.01).size();
  CHECK(ops > 3);
  CHECK(tools::record_profile(file, {plan}, 1, 0.01).size() == ops);
  CHECK_THROWS_WITH(tools::record_profile(file, {plan}, 2, 0.01), ContainsSubstring("give another file"));
  DeviceProfile other(kBoard, 1);
  other.set(conv(1, 1000), 0.25);
  std::ofstream(file) << other.to_json();
  CHECK_THROWS_WITH(tools::record_profile(file, {plan}, 1, 0.01), ContainsSubstring("Cortex-A53"));
  CHECK(tools::read_profile(file).to_json() == other.to_json());
}

TEST_CASE("a timer knows the ops of a recorded plan and estimates others") {
  const tools::TemporaryDirectory dir;
  const std::vector<std::byte> plan = small_plan();
  const std::vector<OpSignature> ops = tools::op_signatures(plan);
  DeviceProfile profile(kBoard, 1);
  for (size_t i = 1; i < ops.size(); ++i) profile.set(ops[i], 0.125);
  std::ofstream(dir.file("p.json")) << profile.to_json();
  const std::vector<compiler::PlanTimes> times =
      tools::profile_timer(dir.file("p.json"))(std::span(&plan, 1));
  REQUIRE(times.size() == 1);
  CHECK(times[0].estimated == 1);
  CHECK(times[0].op_ms.at(1) == 0.125);
  CHECK(times[0].op_ms.at(0) > 0);
  CHECK(times[0].total_ms > 0.125 * static_cast<double>(ops.size() - 1));
}

TEST_CASE("measured here, every op of every plan has a time") {
  const std::vector<std::vector<std::byte>> plans(2, small_plan());
  const std::vector<compiler::PlanTimes> times = tools::measuring_timer()(plans);
  REQUIRE(times.size() == 2);
  CHECK(times[0].op_ms.size() == tools::op_signatures(plans[0]).size());
  CHECK(times[0].total_ms > 0);
  CHECK(times[0].estimated == 0);
}

}  // namespace
}  // namespace bantam::tests
