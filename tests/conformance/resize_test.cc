#include <catch2/catch_test_macros.hpp>

#include "op_case.h"

namespace bantam::tests {
namespace {

const char* const kCoordinates[] = {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel",
                                    "half_pixel_symmetric"};

struct Scale {
  const char* name;
  float h, w;
};
const Scale kScales[] = {{"up", 2, 3}, {"down", 0.5f, 0.6f}, {"uneven", 1.5f, 0.75f}};

OpCase resize(const char* mode, const char* coordinates, const Scale& scale) {
  OpCase it;
  it.name = std::string(mode) + " " + coordinates + " " + scale.name;
  it.opset = 19;
  it.inputs = {{"x", {1, 3, 6, 8}}};
  it.constants = {{"scales", {4}, floats{1, 1, scale.h, scale.w}}};
  it.nodes = {
      {"Resize", {"x", "", "scales"}, {{"mode", mode}, {"coordinate_transformation_mode", coordinates}}}};
  return it;
}

const OpCases kCases = {
    {"sizes",
     13,
     {{"x", {1, 3, 5, 4}}},
     {{"sizes", ints{1, 3, 10, 6}}},
     {{"Resize", {"x", "", "", "sizes"}, {{"mode", "linear"}}}}},
    {"sizes nearest",
     11,
     {{"x", {1, 3, 5, 4}}},
     {{"roi", {0}, floats{}}, {"none", {0}, floats{}}, {"sizes", ints{1, 3, 7, 9}}},
     {{"Resize", {"x", "roi", "none", "sizes"}, {{"mode", "nearest"}}}}},
    {"opset 10 nearest",
     10,
     {{"x", {1, 2, 4, 5}}},
     {{"scales", {4}, floats{1, 1, 2, 2}}},
     {{"Resize", {"x", "scales"}}}},
    {"opset 10 linear",
     10,
     {{"x", {1, 2, 4, 5}}},
     {{"scales", {4}, floats{1, 1, 2, 1.5f}}},
     {{"Resize", {"x", "scales"}, {{"mode", "linear"}}}}},
    {"opset 18 axes",
     18,
     {{"x", {1, 2, 4, 5}}},
     {{"sizes", ints{10, 8}}},
     {{"Resize", {"x", "", "", "sizes"}, {{"mode", "linear"}, {"axes", ints{3, 2}}}}}},
    {"crop and resize",
     13,
     {{"x", {1, 2, 6, 6}}},
     {{"roi", {8}, floats{0, 0, 0.2f, 0.1f, 1, 1, 0.9f, 1.3f}}, {"sizes", ints{1, 2, 4, 5}}},
     {{"Resize",
       {"x", "roi", "", "sizes"},
       {{"mode", "linear"},
        {"coordinate_transformation_mode", "tf_crop_and_resize"},
        {"extrapolation_value", 0.5}}}}},
    {"floor",
     13,
     {{"x", {1, 2, 5, 5}}},
     {{"scales", {4}, floats{1, 1, 1.7f, 0.7f}}},
     {{"Resize",
       {"x", "", "scales"},
       {{"nearest_mode", "floor"}, {"coordinate_transformation_mode", "asymmetric"}}}}},
    {"ceil",
     13,
     {{"x", {1, 2, 5, 5}}},
     {{"scales", {4}, floats{1, 1, 1.7f, 0.7f}}},
     {{"Resize",
       {"x", "", "scales"},
       {{"nearest_mode", "ceil"}, {"coordinate_transformation_mode", "asymmetric"}}}}},
    {"round prefer ceil",
     13,
     {{"x", {1, 2, 6, 6}}},
     {{"scales", {4}, floats{1, 1, 0.5f, 2}}},
     {{"Resize", {"x", "", "scales"}, {{"nearest_mode", "round_prefer_ceil"}}}}},
    {"upsample 7", 7, {{"x", {1, 2, 4, 5}}}, {}, {{"Upsample", {"x"}, {{"scales", floats{1, 1, 2, 3}}}}}},
    {"upsample 9 linear",
     9,
     {{"x", {1, 2, 4, 5}}},
     {{"scales", {4}, floats{1, 1, 2, 2}}},
     {{"Upsample", {"x", "scales"}, {{"mode", "linear"}}}}},
};

TEST_CASE("resize") {
  for (const char* mode : {"nearest", "linear"}) {
    for (const char* coordinates : kCoordinates) {
      for (const Scale& scale : kScales) {
        const OpCase it = resize(mode, coordinates, scale);
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
