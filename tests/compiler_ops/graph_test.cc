// The graph, its checker and its printer.
#include <catch2/catch_test_macros.hpp>

#include "bantam/compiler/error.h"
#include "ops/op_def.h"

namespace bantam::tests {
namespace {

using namespace compiler;  // NOLINT: the tests of the compiler speak its language

// x -> Relu -> Relu -> y
Graph two_clamps() {
  Graph graph;
  graph.name = "two";
  plan::UnaryT clamp;
  clamp.beta = 6;
  ValueId last = graph.add_value("x", {DType::kFloat32, {2, 3}});
  graph.inputs = {last};
  for (int i = 0; i < 2; ++i) {
    const ValueId next = graph.add_value("v", {DType::kFloat32, {2, 3}});
    graph.nodes.push_back({OpCode::kUnary, "clamp", {last}, {next}, clamp});
    last = next;
  }
  graph.outputs = {last};
  return graph;
}

std::string broken(const Graph& graph) {
  try {
    check_graph(graph, "a test");
  } catch (const InternalError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST_CASE("a sound graph passes, a broken one is named", "[graph]") {
  CHECK(broken(two_clamps()) == "");

  Graph order = two_clamps();
  std::swap(order.nodes[0], order.nodes[1]);
  CHECK(contains(broken(order), "is read before it is made"));

  Graph twice = two_clamps();
  twice.nodes[1].outputs = twice.nodes[0].outputs;
  CHECK(contains(broken(twice), "is made twice"));

  Graph range = two_clamps();
  range.nodes[1].inputs = {77};
  CHECK(contains(broken(range), "value %77 does not exist"));

  Graph type = two_clamps();
  type.value(2).type.shape = {3, 2};
  CHECK(contains(broken(type), "by its inputs it is float32[2x3]"));

  Graph attributes = two_clamps();
  attributes.nodes[0].attributes = plan::SoftmaxT();
  CHECK(contains(broken(attributes), "no attributes of its kind"));

  Graph missing = two_clamps();
  missing.nodes[0].inputs = {kNoValue};
  CHECK(contains(broken(missing), "input 0 is missing"));

  Graph constant = two_clamps();
  const ValueId id = constant.add_constant("c", Tensor({DType::kFloat32, {4}}));
  constant.value(id).type.shape = {5};
  CHECK(contains(broken(constant), "but holds"));
}

TEST_CASE("uses", "[graph]") {
  Graph graph = two_clamps();
  const Uses uses(graph);
  CHECK(uses.producer[0] == -1);
  CHECK(uses.producer[2] == 1);
  CHECK(uses.sole_reader(graph, 1) == 1);
  CHECK(uses.sole_reader(graph, 2) == -1);
  graph.replace_uses(2, 1);
  CHECK(graph.outputs == std::vector<ValueId>{1});
}

TEST_CASE("a graph prints one line per node", "[graph]") {
  CHECK(print_graph(two_clamps()) ==
        "graph 'two' NCHW\n"
        "input %0 float32[2x3] 'x'\n"
        "%1 float32[2x3] = Unary(%0) kClamp alpha 0 beta 6  # clamp\n"
        "%2 float32[2x3] = Unary(%1) kClamp alpha 0 beta 6  # clamp\n"
        "output %2 'v'\n");
}

TEST_CASE("tensors", "[graph]") {
  CHECK(Tensor::scalar<int64_t>(7).to_int64() == std::vector<int64_t>{7});
  CHECK_THROWS_AS(Tensor::scalar<float>(7).as<int64_t>(), InternalError);
  CHECK(to_string(TensorType{DType::kBool, {}}) == "bool[scalar]");
  CHECK(element_count({1 << 30, 1 << 30, 1 << 30}) == INT64_MAX);
}

TEST_CASE("every op has a name of its own", "[graph]") {
  for (const OpDef& op : all_ops()) {
    CHECK(&op_def(op.code) == &op);
    for (const OpDef& other : all_ops()) CHECK((&op == &other || op.name != other.name));
  }
  for (const std::string_view domain : {std::string_view(), std::string_view("ai.onnx"), kMicrosoft}) {
    CHECK(all_onnx_ops(domain).size() > 10);
    for (const OnnxOp& op : all_onnx_ops(domain)) CHECK(find_onnx_op(op.type, domain) == &op);
  }
  CHECK(all_onnx_ops("com.example").empty());
}

}  // namespace
}  // namespace bantam::tests
