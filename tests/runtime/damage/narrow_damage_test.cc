// What the kernels of layers with narrow weights rely on is checked.
#include <catch2/catch_test_macros.hpp>

#include "loading.h"
#include "types.h"

namespace bantam::test {
namespace {

using plan::DType;
using plan::OpCode;

const std::string kShape = "the shape of its output contradicts its inputs and attributes";
const std::string kDtype = "the dtypes of its inputs and output do not fit together";
const std::string kEnum = "an attribute has an unknown value";
const std::string kRank = "an input or output has the wrong number of dimensions";

// What is wrong with a layer of weights that are constant, quantized unless `scales` is empty, and perhaps of
// a bias that is not.
std::string narrow_problem(const Type& x, const Shape& w, const Type& y, uint8_t bits,
                           std::vector<float> scales = {0.5f}, const Shape& bias = {}) {
  PlanBuilder builder;
  std::vector<int32_t> inputs = {builder.input("x", x.dtype, x.shape)};
  size_t elements = 1;
  for (const int32_t dim : w) elements *= static_cast<size_t>(dim);
  inputs.push_back(builder.constant("w", DType::kInt8, w, std::vector<int8_t>(elements)));
  if (!scales.empty()) builder.quantize(inputs[1], std::move(scales));
  if (!bias.empty()) inputs.push_back(builder.input("bias", DType::kFloat32, bias));
  const int32_t result = builder.tensor("y", y.dtype, y.shape);
  builder.output(result);
  plan::NarrowFullyConnectedT attributes;
  attributes.bits = bits;
  builder.op(OpCode::kNarrowFullyConnected, inputs, result, attributes);
  const std::string text = problem_of(builder.file());
  return text.rfind("op 0: ", 0) == 0 ? text.substr(6) : text;
}

TEST_CASE("NarrowFullyConnected") {
  const std::string weights = "its weights must be constant int8 with scales and zero point 0";
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({2, 5}), 8) == "");
  CHECK(narrow_problem(f32({2, 8}), {5, 4}, f32({2, 5}), 4) == "");
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({2, 5}), 8, {1, 2, 3, 4, 5}) == "");
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({2, 5}), 8, {}) == weights);
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({2, 5}), 8, {0.5f}, {5}) ==
        "its bias must be constant and float");
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({2, 5}), 5) == kEnum);
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({2, 5}), 0) == kEnum);
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({2, 5}), 4) == kShape);
  CHECK(narrow_problem(f32({2, 8}), {5, 4}, f32({2, 5}), 8) == kShape);
  CHECK(narrow_problem(f32({2, 7}), {5, 3}, f32({2, 5}), 4) ==
        "4-bit weights need an even number of columns");
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({3, 5}), 8) == kShape);
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, f32({2, 6}), 8) == kShape);
  CHECK(narrow_problem(f32({2, 8}), {40, 1}, f32({2, 5}), 8) == kShape);
  CHECK(narrow_problem(f32({2, 8}), {40}, f32({2, 5}), 8) == kRank);
  CHECK(narrow_problem(f32({2, 8}), {5, 8}, i8({2, 5}), 8) == kDtype);
  CHECK(narrow_problem(i8({2, 8}), {5, 8}, f32({2, 5}), 8) == kDtype);
}

}  // namespace
}  // namespace bantam::test
