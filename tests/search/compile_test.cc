// Whole compilations: a plan that is slower than fp32.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>

#include "engine/plan_runner.h"
#include "export/onnx_writer.h"
#include "net.h"
#include "temporary_directory.h"
#include "timing/op_signature.h"

namespace bantam::tests {
namespace {

using Catch::Matchers::ContainsSubstring;
using compiler::CompileError;
using compiler::CompileResult;
using compiler::PlanTimes;

// int8 ops take `int8_ms`, the others 1 ms.
compiler::OpTimer times_of(double int8_ms) {
  return [int8_ms](std::span<const std::vector<std::byte>> plans) {
    std::vector<PlanTimes> times;
    for (const std::vector<std::byte>& plan : plans) {
      PlanTimes found;
      for (const tools::OpSignature& op : tools::op_signatures(plan)) {
        found.op_ms.push_back(op.text.starts_with("Conv2d int8") ? int8_ms : 1.0);
        found.total_ms += found.op_ms.back();
      }
      times.push_back(found);
    }
    return times;
  };
}

class Compilation {
 public:
  Compilation() {
    Net net;
    nets()[0].build(net);
    std::ofstream(path_, std::ios::binary) << compiler::write_onnx(net.graph);
    options.precision = compiler::Precision::kInt8;
    options.calibration = samples_for(net.graph, 8);
  }
  CompileResult operator()() { return compiler::compile(path_, options, tools::plan_runner_factory()); }

  CompileOptions options;

 private:
  tools::TemporaryDirectory dir_;
  std::string path_ = dir_.file("m.onnx");
};

TEST_CASE("a plan slower than fp32 is refused, names the ops at fault and the ways out") {
  Compilation compile;
  compile.options.op_timer = times_of(20);
  CHECK_THROWS_WITH(compile(),
                    ContainsSubstring("the int8 plan takes") && ContainsSubstring("int8 20.000 ms") &&
                        ContainsSubstring("--allow-slower") && ContainsSubstring("--device-profile this"));
  compile.options.allow_slower = true;
  CHECK(!compile().plan.empty());
}

TEST_CASE("with slow ops kept float the plan is written") {
  Compilation compile;
  compile.options.op_timer = times_of(20);
  compile.options.choose_by_time = true;
  const CompileResult result = compile();
  CHECK(!result.plan.empty());
  for (const tools::OpSignature& op : tools::op_signatures(result.plan))
    CHECK(!op.text.starts_with("Conv2d int8"));
}

bool is_half(const tools::OpSignature& op) {
  return op.text.starts_with("Conv2d") && op.text.find("float16") != std::string::npos;
}

// Times of plans whose float16 convolutions take `half_ms`, the int8 ones 20 ms, all others 1 ms.
compiler::OpTimer with_halves(double half_ms) {
  return [half_ms](std::span<const std::vector<std::byte>> plans) {
    std::vector<PlanTimes> times = times_of(20)(plans);
    for (size_t p = 0; p < plans.size(); ++p) {
      const std::vector<tools::OpSignature> ops = tools::op_signatures(plans[p]);
      times[p].total_ms = 0;
      for (size_t i = 0; i < ops.size(); ++i) {
        if (is_half(ops[i])) times[p].op_ms[i] = half_ms;
        times[p].total_ms += times[p].op_ms[i];
      }
    }
    return times;
  };
}

TEST_CASE("what stays float is float16 where that is no slower") {
  for (const double half_ms : {1.0, 3.0}) {
    Compilation compile;
    compile.options.op_timer = with_halves(half_ms);
    compile.options.choose_by_time = true;
    const CompileResult result = compile();
    int halves = 0;
    for (const tools::OpSignature& op : tools::op_signatures(result.plan)) halves += is_half(op) ? 1 : 0;
    CHECK((halves > 0) == (half_ms == 1.0));
  }
}

TEST_CASE("a timer that finds nothing slower does not change a byte") {
  Compilation compile;
  const CompileResult plain = compile();
  compile.options.op_timer = times_of(0.1);
  CHECK(compile().plan == plain.plan);
  compile.options.choose_by_time = true;
  CHECK(compile().plan == plain.plan);
}

}  // namespace
}  // namespace bantam::tests
