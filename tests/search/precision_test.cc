// What stays float in an int8 network: because it is told to, because it is faster, because accuracy needs
// it.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <set>

#include "collapsing.h"
#include "engine/plan_runner.h"
#include "plan_format.h"
#include "quantize/assign.h"
#include "search/hold_out.h"
#include "search/judge.h"
#include "timing/op_signature.h"

namespace bantam::tests {
namespace {

using Catch::Matchers::ContainsSubstring;
using compiler::CompileError;
using compiler::KeptFloat;
using compiler::PlanTimes;
using compiler::Precision;

struct Quantized {
  CompileOptions options;
  std::vector<std::string> warnings;
  std::string summary;

  explicit Quantized(const Graph& graph, int samples = 64) {
    options.precision = Precision::kInt8;
    options.calibration = samples_for(graph, samples);
  }
  void operator()(Graph& graph) {
    const compiler::PlanRunnerFactory runner = tools::plan_runner_factory();
    const Evaluator evaluate = [](const Graph&, const Node&) { return std::vector<Tensor>(); };
    const CompileOptions full = compiler::with_test_set(options, warnings);
    PassContext context{full, evaluate, runner, warnings, {}, {}, {}};
    quantize(graph, context);
    check_graph(graph, "quantize");
    summary = context.precision_summary;
  }
};

bool is_int8(const Graph& graph, const std::string& name) {
  for (const Node& node : graph.nodes) {
    if (node.name == name && node.code != OpCode::kQuantize && node.code != OpCode::kDequantize)
      return graph.dtype(node.outputs[0]) == DType::kInt8;
  }
  throw std::runtime_error("no node " + name);
}

int int8_convs(const Graph& graph) {
  int count = 0;
  for (const Node& node : graph.nodes)
    count += node.code == OpCode::kConv2d && graph.dtype(node.outputs[0]) == DType::kInt8;
  return count;
}

std::string note_of(const Graph& graph, const std::string& node) {
  for (const plan::NoteT& note : graph.notes) {
    if (note.node == node) return note.text;
  }
  return "";
}

// Four convolutions in a row.
Graph chain() {
  Net net;
  ValueId x = net.input({1, 8, 8, 8});
  for (int i = 0; i < 4; ++i) x = net.conv(x, 8, 3);
  net.output(x);
  return net.graph;
}

// Times by op: a convolution takes `fp32_ms` or `int8_ms`, but int8 ones named `slow` take `slow_ms`;
// conversions take `conversion_ms` each.
struct FakeTimes {
  std::set<std::string> slow;
  double slow_ms = 9, conversion_ms = 0.1;
  double int8_ms = 1, fp32_ms = 3;

  compiler::OpTimer timer() const {
    return [*this](std::span<const std::vector<std::byte>> plans) {
      std::vector<PlanTimes> times;
      for (const std::vector<std::byte>& plan : plans) times.push_back(of(plan));
      return times;
    };
  }
  PlanTimes of(const std::vector<std::byte>& plan) const {
    const std::vector<tools::OpSignature> ops = tools::op_signatures(plan);
    PlanTimes times;
    const plan::Plan& metadata = *plan::GetPlan(plan.data() + sizeof(PlanHeader));
    for (size_t i = 0; i < ops.size(); ++i) {
      const std::string name = metadata.ops()->Get(static_cast<uint32_t>(i))->name()->str();
      const bool conv = ops[i].text.starts_with("Conv2d");
      const bool int8 = ops[i].family.find("int8") != std::string::npos;
      const double ms = !conv ? conversion_ms : !int8 ? fp32_ms : slow.contains(name) ? slow_ms : int8_ms;
      times.op_ms.push_back(ms);
      times.total_ms += ms;
    }
    return times;
  }
};

TEST_CASE("nodes that are told to stay float do, with conversions around them") {
  Graph graph = chain();
  const KeptFloat kept = {false, true, false, false};
  CHECK(compiler::int8_nodes(graph, kept) == std::vector<bool>{true, false, true, true});
  CHECK(compiler::int8_nodes(graph, {}) == std::vector<bool>(4, true));
}

TEST_CASE("an op that is slower in int8 stays float, and says so") {
  Graph graph = chain();
  const std::string slow = graph.nodes[1].name, other = graph.nodes[3].name;
  Quantized pass(graph);
  pass.options.op_timer = FakeTimes{{slow}}.timer();
  pass.options.choose_by_time = true;
  pass(graph);
  CHECK(!is_int8(graph, slow));
  CHECK(is_int8(graph, other));
  CHECK(int8_convs(graph) == 3);
  CHECK_THAT(note_of(graph, slow), ContainsSubstring("stays float16: 3.000 ms, int8 9.000 ms"));
}

TEST_CASE("without being told to choose by time nothing changes") {
  Graph graph = chain();
  Quantized pass(graph);
  pass.options.op_timer = FakeTimes{{graph.nodes[1].name}}.timer();
  pass(graph);
  CHECK(int8_convs(graph) == 4);
}

TEST_CASE("conversions count: an op stays int8 where they cost more than float saves") {
  Graph graph = chain();
  Quantized pass(graph);
  FakeTimes times{{graph.nodes[1].name}};
  times.slow_ms = 4;
  times.conversion_ms = 2;
  pass.options.op_timer = times.timer();
  pass.options.choose_by_time = true;
  pass(graph);
  CHECK(int8_convs(graph) == 4);
}

TEST_CASE("an op between two slow ones goes with them where that saves conversions") {
  Graph graph = chain();
  Quantized pass(graph);
  FakeTimes times{{graph.nodes[0].name, graph.nodes[2].name}};
  times.conversion_ms = 1.5;
  pass.options.op_timer = times.timer();
  pass.options.choose_by_time = true;
  pass(graph);
  CHECK(int8_convs(graph) <= 1);
}

TEST_CASE("differences within the noise change nothing") {
  Graph graph = chain();
  Quantized pass(graph);
  FakeTimes times{{graph.nodes[1].name}};
  times.slow_ms = 3.2;
  times.conversion_ms = 0;
  pass.options.op_timer = times.timer();
  pass.options.choose_by_time = true;
  pass(graph);
  CHECK(int8_convs(graph) == 4);
}

TEST_CASE("a drop that int8 meets changes nothing") {
  Graph graph = chain();
  Quantized pass(graph);
  pass.options.max_drop = 0.05;
  pass(graph);
  CHECK(int8_convs(graph) == 4);
  CHECK_THAT(pass.summary, ContainsSubstring("SQNR") && ContainsSubstring("16 samples"));
}

TEST_CASE("a drop that int8 misses keeps float what int8 ruins, and no more") {
  Graph graph = collapsing();
  Graph all_int8 = graph;
  Quantized plain(graph);
  plain.options.quantize_passes.equalize = false;  // which would mend it
  plain(all_int8);
  std::vector<std::string> warnings;
  const Graph teacher = graph;
  Quantized pass(graph);
  pass.options.quantize_passes.equalize = false;
  pass.options.max_drop = 0.02;
  pass(graph);
  const compiler::PlanRunnerFactory runner = tools::plan_runner_factory();
  const Evaluator evaluate = [](const Graph&, const Node&) { return std::vector<Tensor>(); };
  PassContext context{pass.options, evaluate, runner, warnings, {}, {}, {}};
  const compiler::TestSet fresh{samples_for(teacher, 32, 99), {}};
  const compiler::Judge judge(teacher, context, fresh);
  CHECK(judge.judge(all_int8).drop > 0.1);
  CHECK(judge.judge(graph).drop <= 0.02);
  CHECK(!is_int8(graph, kRuined));
  CHECK(int8_convs(graph) >= int8_convs(all_int8) - 2);
  CHECK_THAT(note_of(graph, kRuined), ContainsSubstring("stays float16 for accuracy"));
}

TEST_CASE("a drop that no int8 op meets is an error that says what comes closest") {
  Graph graph = chain();
  Quantized pass(graph);
  pass.options.max_drop = 1e-9;
  CHECK_THROWS_WITH(pass(graph), ContainsSubstring("cannot be met") && ContainsSubstring("closest") &&
                                     ContainsSubstring("SQNR"));
}

TEST_CASE("some samples are kept from calibrating, unless they are few") {
  Graph graph = chain();
  std::vector<std::string> warnings;
  CompileOptions options;
  options.max_drop = 0.01;
  options.calibration = samples_for(graph, 64);
  CompileOptions apart = compiler::with_test_set(options, warnings);
  CHECK(apart.calibration->count == 48);
  CHECK(apart.test->samples.count == 16);
  CHECK(apart.test->samples.load(0)[0].bytes == options.calibration->load(12)[0].bytes);
  CHECK(warnings.empty());
  options.calibration = samples_for(graph, 63);
  CHECK(compiler::with_test_set(options, warnings).test->samples.count == 63);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], ContainsSubstring("64 or more"));
  options.max_drop = 0;
  CHECK_THROWS_AS(compiler::with_test_set(options, warnings), CompileError);
}

TEST_CASE("by labels the drop is that of top-1, and wrong labels are refused") {
  Net net;
  const ValueId x = net.input({1, 4, 4, 3});
  net.output(net.dense(net.global_pool(net.conv(x, 8, 3)), 4));
  std::vector<std::string> warnings;
  const CompileOptions options;
  const compiler::PlanRunnerFactory runner = tools::plan_runner_factory();
  const Evaluator evaluate = [](const Graph&, const Node&) { return std::vector<Tensor>(); };
  PassContext context{options, evaluate, runner, warnings, {}, {}, {}};
  compiler::TestSet set{samples_for(net.graph, 20), std::vector<int64_t>(20, 0)};
  const compiler::Verdict same = compiler::Judge(net.graph, context, set).judge(net.graph);
  CHECK(same.by_labels);
  CHECK(same.hits == same.fp32_hits);
  CHECK(same.agreeing == 20);
  CHECK(same.drop == 0);
  CHECK(same.interval.high > 0);
  set.labels[3] = 4;
  CHECK_THROWS_WITH(compiler::Judge(net.graph, context, set),
                    ContainsSubstring("label 4 of sample 3 is not one of the model's classes, 0 to 3"));
}

}  // namespace
}  // namespace bantam::tests
