// Functions of one element, and of several with broadcasting.
#include <catch2/catch_test_macros.hpp>

#include "op_case.h"

namespace bantam::tests {
namespace {

struct UnaryRow {
  const char* type;
  double low, high;
  std::vector<Attr> attributes = {};
  int opset = 17;
  double int8_db = 30;
};

// A step of the function amplifies the noise of its input, hence less is asked of Floor, Ceil and Round.
const UnaryRow kUnary[] = {
    {"Relu", -2, 2},
    {"LeakyRelu", -2, 2},
    {"LeakyRelu", -2, 2, {{"alpha", 0.3}}},
    {"Elu", -3, 2},
    {"Elu", -3, 2, {{"alpha", 0.5}}},
    {"Selu", -3, 2},
    {"Selu", -3, 2, {{"alpha", 2.0}, {"gamma", 1.5}}},
    {"Sigmoid", -6, 6},
    {"HardSigmoid", -4, 4},
    {"HardSigmoid", -4, 4, {{"alpha", 0.4}, {"beta", 0.3}}},
    {"HardSwish", -5, 5},
    {"Tanh", -4, 4},
    {"Softplus", -6, 6},
    {"Gelu", -4, 4, {}, 20},
    {"Gelu", -4, 4, {{"approximate", "tanh"}}, 20},
    {"Erf", -3, 3},
    {"Exp", -2, 2},
    {"Log", 0.1, 5},
    {"Sqrt", 0, 9},
    {"Reciprocal", 0.5, 4},
    {"Reciprocal", -4, -0.5},
    {"Neg", -2, 2},
    {"Abs", -2, 2},
    {"Floor", -4, 4, {}, 17, 18},
    {"Ceil", -4, 4, {}, 17, 18},
    {"Round", -4, 4, {}, 17, 18},
    {"Identity", -2, 2},
    {"Dropout", -2, 2},
    {"Dropout", -2, 2, {{"ratio", 0.4}}, 7},
    {"Clip", -2, 2, {{"min", -0.5}, {"max", 1.25}}, 7},
    {"Clip", -2, 2, {{"max", 1.25}}, 7},
    {"Clip", -2, 2},
};

const OpCases kClip = {
    {"clip both",
     17,
     {{"x", {2, 3, 4}, -2, 2}},
     {{"low", {}, floats{-0.75f}}, {"high", {}, floats{0.5f}}},
     {{"Clip", {"x", "low", "high"}}}},
    {"clip below", 13, {{"x", {2, 3, 4}, -2, 2}}, {{"low", {}, floats{-0.75f}}}, {{"Clip", {"x", "low"}}}},
    {"clip above",
     11,
     {{"x", {2, 3, 4}, -2, 2}},
     {{"high", {}, floats{0.5f}}},
     {{"Clip", {"x", "", "high"}}}},
};

struct Broadcast {
  ints a, b;
};
const Broadcast kBroadcasts[] = {
    {{2, 3, 4, 5}, {2, 3, 4, 5}},
    {{2, 3, 4, 5}, {5}},
    {{2, 3, 4, 5}, {3, 1, 1}},
    {{3, 1, 1}, {2, 3, 4, 5}},
    {{2, 1, 4, 1}, {3, 1, 5}},
    {{1, 4, 6, 6}, {1, 4, 1, 1}},
    {{4, 6}, {}},
    {{7}, {1}},
};

const char* const kArithmetic[] = {"Add", "Sub", "Mul", "Min", "Max", "Sum", "Mean"};
const char* const kComparisons[] = {"Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"};

const OpCases kOthers = {
    {"add constant channel", 17, {{"x", {1, 4, 5, 5}}}, {weights("k", {4, 1, 1})}, {{"Add", {"x", "k"}}}},
    {"sub from constant", 17, {{"x", {2, 5}}}, {weights("k", {5})}, {{"Sub", {"k", "x"}}}},
    {"mul constant scalar", 17, {{"x", {2, 5}}}, {{"k", {}, floats{-1.5f}}}, {{"Mul", {"x", "k"}}}},
    {"div", 17, {{"x", {2, 3, 4}}, {"z", {3, 1}, 1, 2}}, {}, {{"Div", {"x", "z"}}}},
    {"div by constant", 17, {{"x", {2, 3, 4}}}, {{"k", {3, 1}, 1, 2}}, {{"Div", {"x", "k"}}}},
    {"constant by x", 17, {{"x", {2, 3, 4}, 1, 2}}, {{"k", {4}, 1, 2}}, {{"Div", {"k", "x"}}}},
    {"pow of two", 17, {{"x", {2, 3, 4}}}, {{"k", {}, floats{2}}}, {{"Pow", {"x", "k"}}}},
    {"pow of half", 17, {{"x", {2, 3, 4}, 0.2, 3}}, {{"k", {}, floats{0.5f}}}, {{"Pow", {"x", "k"}}}},
    {"pow broadcast", 17, {{"x", {2, 3, 4}, 0.5, 2}, {"z", {4}, -1, 2}}, {}, {{"Pow", {"x", "z"}}}},
    {"prelu per channel",
     17,
     {{"x", {1, 3, 4, 4}}},
     {{"slope", {3, 1, 1}, 0.1, 0.5}},
     {{"PRelu", {"x", "slope"}}}},
    {"prelu one slope", 9, {{"x", {2, 6}}}, {{"slope", {1}, floats{0.25f}}}, {{"PRelu", {"x", "slope"}}}},
    {"sum of three", 17, {{"x", {2, 3}}, {"y1", {3}}, {"z", {2, 1}}}, {}, {{"Sum", {"x", "y1", "z"}}}},
    {"mean of three", 17, {{"x", {2, 3}}, {"y1", {3}}, {"z", {2, 1}}}, {}, {{"Mean", {"x", "y1", "z"}}}},
    {"min of three", 17, {{"x", {2, 3}}, {"y1", {3}}, {"z", {2, 1}}}, {}, {{"Min", {"x", "y1", "z"}}}},
    {"max of three", 17, {{"x", {2, 3}}, {"y1", {3}}, {"z", {2, 1}}}, {}, {{"Max", {"x", "y1", "z"}}}},
    {"max of one", 17, {{"x", {2, 3}}}, {}, {{"Max", {"x"}}}},
    {"x times itself", 17, {{"x", {2, 7}}}, {}, {{"Mul", {"x", "x"}}}},
    {"where",
     17,
     {{"x", {2, 3, 4}}, {"z", {4}}},
     {{"k", {3, 1}, -1, 1}},
     {{"Less", {"x", "k"}, {}, {"c"}}, {"Where", {"c", "x", "z"}}},
     0},
    {"where of constants",
     17,
     {{"x", {2, 3}}},
     {{"zero", {}, floats{0}}, {"k", {3}, -1, 1}},
     {{"Greater", {"x", "zero"}, {}, {"c"}}, {"Where", {"c", "k", "zero"}}},
     0},
    {"cast to int and back",
     17,
     {{"x", {3, 7}, -9, 9}},
     {},
     {{"Cast", {"x"}, {{"to", 6}}, {"i"}}, {"Cast", {"i"}, {{"to", 1}}}},
     0},
    {"cast to int64", 13, {{"x", {3, 7}, -9, 9}}, {}, {{"Cast", {"x"}, {{"to", 7}}}}, 0},
    {"cast to bool", 9, {{"x", {3, 7}, 0, 9}}, {}, {{"Cast", {"x"}, {{"to", 9}}}}, 0},
};

OpCase binary_case(const char* type, const Broadcast& shapes, double int8_db) {
  std::string name = type;
  for (const ints* shape : {&shapes.a, &shapes.b}) {
    name += " [";
    for (int64_t dim : *shape) name += std::to_string(dim) + ",";
    name.back() = shape->empty() ? '[' : ']';
  }
  OpCase it{name, 17, {{"x", shapes.a}, {"z", shapes.b, -2, 1}}, {}, {}};
  it.nodes.push_back({type, {"x", "z"}});
  it.int8_db = int8_db;
  return it;
}

TEST_CASE("functions of one element") {
  for (const UnaryRow& row : kUnary) {
    for (const ints& shape : {ints{1, 3, 5, 7}, ints{33}}) {
      std::string name = std::string(row.type) + " opset " + std::to_string(row.opset);
      for (const Attr& attr : row.attributes) name += " " + attr.name;
      name += " rank " + std::to_string(shape.size());
      const NodeRow node{row.type, {"x"}, row.attributes};
      DYNAMIC_SECTION(name) {
        check_case({name, row.opset, {{"x", shape, row.low, row.high}}, {}, {node}, row.int8_db});
      }
    }
  }
}

TEST_CASE("arithmetic with broadcasting") {
  for (const char* type : kArithmetic) {
    for (const Broadcast& shapes : kBroadcasts) {
      const OpCase it = binary_case(type, shapes, 28);
      DYNAMIC_SECTION(it.name) { check_case(it); }
    }
  }
}

TEST_CASE("comparisons") {
  for (const char* type : kComparisons) {
    for (const Broadcast& shapes : kBroadcasts) {
      const OpCase it = binary_case(type, shapes, 0);
      DYNAMIC_SECTION(it.name) { check_case(it); }
    }
  }
}

TEST_CASE("other elementwise operators") {
  for (const OpCases* cases : {&kClip, &kOthers}) {
    for (const OpCase& it : *cases) {
      DYNAMIC_SECTION(it.name) { check_case(it); }
    }
  }
}

}  // namespace
}  // namespace bantam::tests
