#include <catch2/catch_test_macros.hpp>

#include "op_case.h"

namespace bantam::tests {
namespace {

const char* const kReductions[] = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2"};

struct Axes {
  const char* name;
  ints shape, axes;
  int keep;
};
const Axes kAxes[] = {
    {"all", {2, 3, 4}, {}, 1},         {"last", {2, 3, 4}, {-1}, 0},
    {"first", {4, 5}, {0}, 1},         {"spatial", {1, 4, 5, 3}, {2, 3}, 0},
    {"channel", {1, 4, 5, 3}, {1}, 1}, {"apart", {2, 3, 4, 5}, {0, -2}, 0},
};

// Which opset first takes the axes as an input.
int axes_as_input(const std::string& type) { return type == "ReduceSum" ? 13 : 18; }

OpCase reduction(const std::string& type, const Axes& row, bool as_input) {
  const int since = axes_as_input(type);
  OpCase it{type + " " + row.name + (as_input ? " input" : ""),
            as_input ? since : since - 2,
            {{"x", row.shape, 0, 2}},
            {},
            {}};
  NodeRow node{type, {"x"}, {{"keepdims", row.keep}}};
  if (!row.axes.empty() && as_input) {
    it.constants.emplace_back("axes", row.axes);
    node.inputs.push_back("axes");
  } else if (!row.axes.empty()) {
    node.attributes.emplace_back("axes", row.axes);
  }
  it.nodes = {node};
  return it;
}

const OpCases kCases = {
    {"no axes, nothing to do",
     18,
     {{"x", {2, 3}}},
     {},
     {{"ReduceMean", {"x"}, {{"noop_with_empty_axes", 1}}}}},
    {"argmax", 17, {{"x", {4, 7}}}, {}, {{"ArgMax", {"x"}, {{"axis", 1}}}}, 0},
    {"argmax default axis", 11, {{"x", {4, 7}}}, {}, {{"ArgMax", {"x"}}}, 0},
    {"argmax channel", 13, {{"x", {1, 5, 3, 4}}}, {}, {{"ArgMax", {"x"}, {{"axis", 1}, {"keepdims", 0}}}}, 0},
    {"argmax last of equals",
     12,
     {{"x", {3, 4}, -1, 0}},
     {},
     {{"Relu", {"x"}, {}, {"r"}}, {"ArgMax", {"r"}, {{"axis", -1}, {"select_last_index", 1}}}},
     0},
    {"argmax first of equals",
     12,
     {{"x", {3, 4}, -1, 0}},
     {},
     {{"Relu", {"x"}, {}, {"r"}}, {"ArgMax", {"r"}, {{"axis", -1}}}},
     0},
};

TEST_CASE("reductions") {
  for (const char* type : kReductions) {
    for (const Axes& row : kAxes) {
      for (bool as_input : {false, true}) {
        const OpCase it = reduction(type, row, as_input);
        DYNAMIC_SECTION(it.name) { check_case(it); }
      }
    }
  }
  for (const OpCase& it : kCases) {
    DYNAMIC_SECTION(it.name) { check_case(it); }
  }
}

}  // namespace
}  // namespace bantam::tests
