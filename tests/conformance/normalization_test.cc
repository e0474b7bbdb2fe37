#include <catch2/catch_test_macros.hpp>

#include "op_case.h"

namespace bantam::tests {
namespace {

const OpCases kCases = {
    {"batch norm",
     17,
     {{"x", {2, 4, 3, 5}}},
     {weights("s", {4}), weights("b", {4}), weights("m", {4}), {"v", {4}, 0.5, 2}},
     {{"BatchNormalization", {"x", "s", "b", "m", "v"}, {{"epsilon", 0.01}}}}},
    {"batch norm opset 7 rank 2",
     7,
     {{"x", {2, 6}}},
     {weights("s", {6}), weights("b", {6}), weights("m", {6}), {"v", {6}, 0.5, 2}},
     {{"BatchNormalization", {"x", "s", "b", "m", "v"}}}},
    {"batch norm rank 3",
     14,
     {{"x", {2, 4, 7}}},
     {weights("s", {4}), weights("b", {4}), weights("m", {4}), {"v", {4}, 0.5, 2}},
     {{"BatchNormalization", {"x", "s", "b", "m", "v"}}}},
    {"instance norm",
     17,
     {{"x", {2, 3, 5, 6}}},
     {{"s", {3}, 0.5, 2}, weights("b", {3})},
     {{"InstanceNormalization", {"x", "s", "b"}}}},
    {"instance norm rank 3",
     7,
     {{"x", {2, 3, 11}}},
     {{"s", {3}, 0.5, 2}, weights("b", {3})},
     {{"InstanceNormalization", {"x", "s", "b"}, {{"epsilon", 0.001}}}}},
    {"layer norm",
     17,
     {{"x", {2, 5, 16}}},
     {{"s", {16}, 0.5, 2}, weights("b", {16})},
     {{"LayerNormalization", {"x", "s", "b"}}}},
    {"layer norm no bias axis 1",
     17,
     {{"x", {2, 5, 6}}},
     {{"s", {5, 6}, 0.5, 2}},
     {{"LayerNormalization", {"x", "s"}, {{"axis", 1}, {"epsilon", 0.001}}}}},
    {"layer norm written out",
     17,
     {{"x", {2, 5, 16}}},
     {{"two", {}, floats{2}}, {"e", {}, floats{1e-5f}}, {"s", {16}, 0.5, 2}, weights("b", {16})},
     {{"ReduceMean", {"x"}, {{"axes", ints{-1}}}, {"mean"}},
      {"Sub", {"x", "mean"}, {}, {"d"}},
      {"Pow", {"d", "two"}, {}, {"square"}},
      {"ReduceMean", {"square"}, {{"axes", ints{-1}}}, {"variance"}},
      {"Add", {"variance", "e"}, {}, {"ve"}},
      {"Sqrt", {"ve"}, {}, {"deviation"}},
      {"Div", {"d", "deviation"}, {}, {"normal"}},
      {"Mul", {"normal", "s"}, {}, {"scaled"}},
      {"Add", {"scaled", "b"}}}},
    {"softmax", 17, {{"x", {3, 10}, -3, 3}}, {}, {{"Softmax", {"x"}}}},
    {"softmax axis 1 of 4", 13, {{"x", {1, 5, 3, 4}, -3, 3}}, {}, {{"Softmax", {"x"}, {{"axis", 1}}}}},
    {"softmax axis -2", 13, {{"x", {2, 5, 4}, -3, 3}}, {}, {{"Softmax", {"x"}, {{"axis", -2}}}}},
    {"softmax opset 11 flattens", 11, {{"x", {2, 3, 4}, -3, 3}}, {}, {{"Softmax", {"x"}}}},
    {"softmax opset 7 axis 2", 7, {{"x", {2, 3, 4}, -3, 3}}, {}, {{"Softmax", {"x"}, {{"axis", 2}}}}},
    {"log softmax", 17, {{"x", {3, 10}, -3, 3}}, {}, {{"LogSoftmax", {"x"}}}},
    {"log softmax axis 0", 13, {{"x", {4, 5}, -3, 3}}, {}, {{"LogSoftmax", {"x"}, {{"axis", 0}}}}},
};

TEST_CASE("normalization") {
  for (const OpCase& it : kCases) {
    DYNAMIC_SECTION(it.name) { check_case(it); }
  }
}

}  // namespace
}  // namespace bantam::tests
