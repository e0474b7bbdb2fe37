#include <catch2/catch_test_macros.hpp>

#include "op_case.h"

namespace bantam::tests {
namespace {

const OpCases kCases = {
    {"gemm", 17, {{"x", {3, 8}}}, {weights("w", {8, 5}), weights("c", {5})}, {{"Gemm", {"x", "w", "c"}}}},
    {"gemm transposed b",
     17,
     {{"x", {1, 8}}},
     {weights("w", {5, 8}), weights("c", {5})},
     {{"Gemm", {"x", "w", "c"}, {{"transB", 1}}}}},
    {"gemm alpha beta",
     17,
     {{"x", {2, 8}}},
     {weights("w", {5, 8}), weights("c", {1, 5})},
     {{"Gemm", {"x", "w", "c"}, {{"transB", 1}, {"alpha", 0.5}, {"beta", 2.0}}}}},
    {"gemm transposed a",
     17,
     {{"x", {8, 3}}},
     {weights("w", {8, 5})},
     {{"Gemm", {"x", "w"}, {{"transA", 1}}}}},
    {"gemm opset 7 scalar c",
     7,
     {{"x", {2, 8}}},
     {weights("w", {8, 5}), {"c", {}, floats{0.75f}}},
     {{"Gemm", {"x", "w", "c"}}}},
    {"gemm of two inputs",
     17,
     {{"x", {3, 8}}, {"z", {5, 8}}},
     {weights("c", {3, 1})},
     {{"Gemm", {"x", "z", "c"}, {{"transB", 1}, {"alpha", 0.25}}}}},
    {"gemm column c",
     17,
     {{"x", {3, 8}}},
     {weights("w", {8, 5}), weights("c", {3, 1})},
     {{"Gemm", {"x", "w", "c"}}}},
    {"matmul constant", 17, {{"x", {2, 3, 8}}}, {weights("w", {8, 5})}, {{"MatMul", {"x", "w"}}}},
    {"matmul two inputs", 17, {{"x", {4, 6}}, {"z", {6, 3}}}, {}, {{"MatMul", {"x", "z"}}}},
    {"matmul batched", 9, {{"x", {2, 3, 4, 6}}, {"z", {2, 3, 6, 5}}}, {}, {{"MatMul", {"x", "z"}}}},
    {"matmul batch broadcast", 17, {{"x", {2, 1, 4, 6}}, {"z", {3, 6, 5}}}, {}, {{"MatMul", {"x", "z"}}}},
    {"matmul constant batch", 17, {{"x", {3, 4, 6}}}, {weights("w", {3, 6, 5})}, {{"MatMul", {"x", "w"}}}},
    {"matmul constant left", 17, {{"x", {6, 5}}}, {weights("w", {4, 6})}, {{"MatMul", {"w", "x"}}}},
    {"matmul vectors", 17, {{"x", {7}}, {"z", {7}}}, {}, {{"MatMul", {"x", "z"}}}, 20},
    {"matmul row", 17, {{"x", {7}}, {"z", {2, 7, 3}}}, {}, {{"MatMul", {"x", "z"}}}},
    {"matmul column", 17, {{"x", {2, 3, 7}}, {"z", {7}}}, {}, {{"MatMul", {"x", "z"}}}},
};

TEST_CASE("matrix products") {
  for (const OpCase& it : kCases) {
    DYNAMIC_SECTION(it.name) { check_case(it); }
  }
}

}  // namespace
}  // namespace bantam::tests
