// Models for smaller inputs: which may be had, and what they become.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>

#include "bantam/compiler/error.h"
#include "budget/input_sizes.h"
#include "emit/evaluate.h"
#include "engine/plan_runner.h"
#include "import/onnx_loader.h"
#include "import/resized_input.h"
#include "op_case.h"
#include "temporary_directory.h"

namespace bantam::tests {
namespace {

using namespace compiler;  // NOLINT: the tests of the compiler speak its language
using Catch::Matchers::ContainsSubstring;

const PlanRunnerFactory kRunner = tools::plan_runner_factory();
const Evaluator kEvaluator = make_evaluator(kRunner);
const ints kAround = {1, 1, 1, 1};
const Attr kStride2 = {"strides", ints{2, 2}};

// Divides 32x32 by 4, then what `end` does with a map [1,8,8,8], called "map".
OpCase ends_in(std::vector<NodeRow> end, std::vector<Constant> constants = {}) {
  constants.push_back(weights("w", {8, 3, 3, 3}));
  std::vector<NodeRow> nodes = {{"Conv", {"x", "w"}, {{"pads", kAround}, kStride2}, {"c"}},
                                {"MaxPool", {"c"}, {{"kernel_shape", ints{2, 2}}, kStride2}, {"map"}}};
  nodes.insert(nodes.end(), end.begin(), end.end());
  return {"net", 17, {{"x", {1, 3, 32, 32}}}, std::move(constants), std::move(nodes)};
}

OpCase pooled(const char* pool, std::vector<Attr> attributes = {}) {
  return ends_in({{pool, {"map"}, std::move(attributes), {"p"}},
                  {"Flatten", {"p"}, {}, {"flat"}},
                  {"Gemm", {"flat", "f"}}},
                 {weights("f", {8, 5})});
}

class Model {
 public:
  explicit Model(const onnx::ModelProto& model) {
    std::ofstream(path_, std::ios::binary) << model.SerializeAsString();
  }
  explicit Model(const OpCase& it) : Model(build_model(it)) {}

  Graph at(int height, int width) {
    options.input_size = {height, width};
    return load_model(path_, options, kEvaluator);
  }
  std::string refusal_at(int height, int width) {
    try {
      at(height, width);
    } catch (const CompileError& error) {
      return error.what();
    }
    return "";
  }
  SmallerInputs smaller() {
    return smaller_inputs(load_onnx(path_, options.shapes, kEvaluator), path_, options, kEvaluator);
  }

  CompileOptions options;

 private:
  tools::TemporaryDirectory dir_;
  std::string path_ = dir_.file("m.onnx");
};

std::string type_of(const Graph& graph, ValueId id) { return to_string(graph.value(id).type); }

TEST_CASE("smaller input: all shapes follow, the outputs keep theirs") {
  Model model(pooled("GlobalAveragePool"));
  const Graph graph = model.at(24, 20);
  check_graph(graph, "the import");
  CHECK(type_of(graph, graph.inputs[0]) == "float32[1x3x24x20]");
  CHECK(type_of(graph, graph.nodes[1].outputs[0]) == "float32[1x8x6x5]");
  CHECK(type_of(graph, graph.outputs[0]) == "float32[1x5]");
}

TEST_CASE("smaller input: a pool over the whole map stays one, others stay as they are") {
  for (const char* pool : {"AveragePool", "MaxPool"}) {
    INFO(pool);
    Model whole(pooled(pool, {{"kernel_shape", ints{8, 8}}, {"strides", ints{8, 8}}}));
    const Graph graph = whole.at(16, 16);
    CHECK(type_of(graph, graph.outputs[0]) == "float32[1x5]");
    CHECK(graph.nodes[2].code == OpCode::kReduce);
  }
  Model part(pooled("AveragePool", {{"kernel_shape", ints{7, 7}}}));
  CHECK_THAT(part.refusal_at(16, 16), ContainsSubstring("AveragePool") || ContainsSubstring("Gemm"));
  Model padded(pooled("AveragePool", {{"kernel_shape", ints{8, 8}}, {"pads", ints{1, 1, 0, 0}}, kStride2}));
  CHECK(!padded.refusal_at(16, 16).empty());
}

TEST_CASE("smaller input: constants that the size makes are made anew") {
  // As exporters write a view: the channels of the map, then all that is left of its shape.
  Model model(ends_in({{"Shape", {"map"}, {}, {"s"}},
                       {"Gather", {"s", "two"}, {}, {"height"}},
                       {"Concat", {"one", "eight", "height", "rest"}, {{"axis", 0}}, {"to"}},
                       {"Reshape", {"map", "to"}, {}, {"r"}},
                       {"ReduceMean", {"r"}, {{"axes", ints{2, 3}}, {"keepdims", 0}}}},
                      {{"two", ints{2}}, {"one", ints{1}}, {"eight", ints{8}}, {"rest", ints{-1}}}));
  const Graph graph = model.at(16, 24);
  CHECK(type_of(graph, graph.outputs[0]) == "float32[1x8]");
}

TEST_CASE("smaller input: free dimensions that --shape binds") {
  onnx::ModelProto proto = build_model(pooled("AveragePool", {{"kernel_shape", ints{8, 8}}}));
  auto& shape =
      *proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  for (int axis : {0, 2, 3}) shape.mutable_dim(axis)->set_dim_param("free");
  Model model(proto);
  model.options.shapes = {{"x", {1, 3, 32, 32}}};
  const Graph graph = model.at(20, 20);
  CHECK(type_of(graph, graph.inputs[0]) == "float32[1x3x20x20]");
  CHECK(type_of(graph, graph.outputs[0]) == "float32[1x5]");
  CHECK(model.smaller().sizes.size() == 4);
}

TEST_CASE("smaller input: what the model states stands above a shape that is bound") {
  Model model(pooled("AveragePool", {{"kernel_shape", ints{8, 8}}}));
  model.options.shapes = {{"x", {1, 3, 16, 16}}};  // as a plan for 16x16 takes it
  const Graph graph = model.at(16, 16);
  CHECK(type_of(graph, graph.inputs[0]) == "float32[1x3x16x16]");
}

TEST_CASE("smaller input: shares of the size in multiples of what the network divides by") {
  Model model(pooled("GlobalAveragePool"));
  const SmallerInputs found = model.smaller();
  CHECK(found.refusal.empty());
  CHECK(found.sizes == std::vector<InputSize>{{28, 28}, {24, 24}, {20, 20}, {16, 16}});
  OpCase wide = pooled("GlobalAveragePool");
  wide.inputs[0].shape = {1, 3, 16, 40};
  CHECK(Model(wide).smaller().sizes == std::vector<InputSize>{{12, 30}, {8, 20}});
}

TEST_CASE("smaller input: where the size cannot change, one line says why and names the op") {
  const auto refusal = [](const OpCase& it) {
    const SmallerInputs found = Model(it).smaller();
    CHECK(found.sizes.empty());
    CHECK(found.refusal.find('\n') == std::string::npos);
    return found.refusal;
  };
  CHECK_THAT(refusal(ends_in({{"Flatten", {"map"}, {}, {"flat"}}, {"Gemm", {"flat", "f"}}},
                             {weights("f", {512, 5})})),
             ContainsSubstring("at 28x28") && ContainsSubstring("Gemm node"));
  CHECK_THAT(refusal(ends_in({{"Reshape", {"map", "to"}}}, {{"to", ints{1, 512}}})),
             ContainsSubstring("Reshape node"));
  CHECK_THAT(refusal(ends_in({{"Relu", {"map"}}})),
             ContainsSubstring("output 'y', made by node 'Relu2', would be float32[1x8x7x7] instead of"));
  OpCase two = pooled("GlobalAveragePool");
  two.inputs.push_back({"z", {1, 5}});
  two.nodes.back().outputs = {"g"};
  two.nodes.push_back({"Add", {"g", "z"}});
  CHECK_THAT(refusal(two), ContainsSubstring("the model has 2 inputs"));
  CHECK_THAT(refusal({"flat", 17, {{"x", {1, 8}}}, {weights("f", {8, 5})}, {{"Gemm", {"x", "f"}}}}),
             ContainsSubstring("input 'x' is float32[1x8]"));
  OpCase tiny = pooled("GlobalAveragePool");
  tiny.inputs[0].shape = {1, 3, 4, 8};
  CHECK_THAT(refusal(tiny), ContainsSubstring("no multiple of 4"));
}

TEST_CASE("smaller input: images shrink in proportion, or the reason why not is told") {
  CompileOptions options;
  options.image = ImageOptions{plan::ChannelOrder::kRgb, 256, 224, {}, {}};
  CompileOptions small = options_at({160, 160}, options);
  CHECK(small.image->resize == 183);
  CHECK(small.image->crop == 160);
  options.image->resize = options.image->crop = 0;
  small = options_at({12, 30}, options);
  CHECK(small.image->resize == 12);
  CHECK(small.image->crop == 0);

  Model model(pooled("GlobalAveragePool"));
  model.options.image = ImageOptions{plan::ChannelOrder::kRgb, 0, 32, {}, {}};
  CHECK_THAT(model.smaller().refusal, ContainsSubstring("give --resize"));
}

TEST_CASE("smaller input: samples come at its size, also those held out") {
  CompileOptions options;
  SampleSource source;
  source.count = 3;
  options.calibration = source;
  Model model(pooled("GlobalAveragePool"));
  model.options.calibration = source;
  CHECK_THAT(model.smaller().refusal, ContainsSubstring("samples"));
  source.resized = [](const InputSize& size, const std::optional<ImageOptions>&) {
    SampleSource resized;
    resized.count = size.height;
    return resized;
  };
  options.calibration = source;
  options.test = TestSet{source, {1, 2, 3}};
  options = options_at({24, 24}, options);
  CHECK(options.calibration->count == 24);
  CHECK(options.test->samples.count == 24);
  CHECK(options.test->labels.size() == 3);
}

}  // namespace
}  // namespace bantam::tests
