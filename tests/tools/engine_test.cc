#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <stdexcept>

#include "engine/bench_input.h"
#include "engine/evaluate.h"
#include "engine/input_set.h"
#include "io/failure.h"
#include "temporary_directory.h"

namespace bantam::tools {
namespace {

using Catch::Matchers::ContainsSubstring;
using Texts = std::vector<std::string>;

TEST_CASE("inputs: by name, by order, and both") {
  Texts names = {"x", "image:0"};
  CHECK(assign_inputs({"a", "b"}, names, "--input") == Texts{"a", "b"});
  CHECK(assign_inputs({"image:0=b", "x=a"}, names, "--input") == Texts{"a", "b"});
  CHECK(assign_inputs({"image:0=b", "a"}, names, "--input") == Texts{"a", "b"});
  CHECK(assign_inputs({"x=y=z", "q=1"}, names, "--input") == Texts{"y=z", "q=1"});  // no input is called q
  CHECK_THROWS_WITH(assign_inputs({"a"}, names, "--input"),
                    ContainsSubstring("nothing is given for input image:0"));
  CHECK_THROWS_WITH(assign_inputs({"a", "b", "c"}, names, "--input"),
                    ContainsSubstring("3 inputs are given"));
  CHECK_THROWS_WITH(assign_inputs({"x=a", "x=b"}, names, "--input"), ContainsSubstring("given twice"));
}

TEST_CASE("evaluation: the best classes, the first of equal ones first") {
  std::vector<float> scores = {1, 3, 2, 3, -INFINITY};
  CHECK(top_classes(scores, 1) == std::vector<int>{1});
  CHECK(top_classes(scores, 5) == std::vector<int>{1, 3, 2, 0, 4});
  CHECK(top_classes(scores, 9).size() == 5);
}

TEST_CASE("evaluation: every sample once, on all threads, and the first failure ends it") {
  std::vector<std::atomic<int>> seen(1000);
  std::atomic<int> workers{0};
  for_each_sample(
      1000, 4, "test", [&](int) { ++workers; }, [&](int, int64_t i) { ++seen[static_cast<size_t>(i)]; });
  CHECK(workers == 4);
  for (const std::atomic<int>& count : seen) CHECK(count == 1);

  std::atomic<int> done{0};
  auto fail_at_10 = [&](int, int64_t i) {
    if (i == 10) throw Failure("sample 10", "is bad");
    ++done;
  };
  CHECK_THROWS_WITH(for_each_sample(
                        100000, 4, "test", [](int) {}, fail_at_10),
                    ContainsSubstring("sample 10"));
  CHECK(done < 100000);
  CHECK(worker_count(3, 8) == 3);
  CHECK(worker_count(3, 2) == 2);
}

TEST_CASE("benchmark: quantiles are measured values") {
  std::vector<double> sorted = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  CHECK(quantile(sorted, 0.5) == 5);
  CHECK(quantile(sorted, 0.9) == 9);
  CHECK(quantile(sorted, 0.99) == 10);
  CHECK(quantile({7}, 0.5) == 7);
}

TEST_CASE("plans: what is none is refused with its name") {
  TemporaryDirectory dir;
  CHECK_THROWS_WITH(open_plan(dir.file("absent.bantam")), ContainsSubstring("absent.bantam"));
  CHECK_THROWS_WITH(open_plan(dir.write("x.bantam", "BANT")), ContainsSubstring("x.bantam"));
  CHECK_FALSE(load_plan({}).ok());
  CHECK(is_plan(dir.file("x.bantam")));
  CHECK(is_plan(dir.write("renamed", "BANT and so on")));
  CHECK_FALSE(is_plan(dir.write("x.onnx", "anything else")));
}

}  // namespace
}  // namespace bantam::tools
