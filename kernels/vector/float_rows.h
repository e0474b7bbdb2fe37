// Inner loops over contiguous float32, written once with Highway and chosen at run time for the CPU. All may
// work in place. Accurate to a few units in the last place where they approximate (exp and what is made of
// it).
#pragma once

#include <cstdint>

#include "plan_generated.h"

namespace bantam::kernels {

// y = f(x), with the op's alpha and beta.
using UnaryRow = void (*)(const float* x, float* y, int64_t n, float alpha, float beta);
// Null for kinds that are not here: kNot, kSin, kCos, kIsNaN.
UnaryRow unary_row(plan::UnaryKind kind);

// y = clamp(a op b, low, high)
using BinaryRow = void (*)(const float* a, const float* b, float* y, int64_t n, float low, float high);
enum class Operands { kRows, kRowAndScalar, kScalarAndRow };  // a scalar is one float
// Null for kinds that are not here: comparisons, logic, kPow and the remainders.
BinaryRow binary_row(plan::BinaryKind kind, Operands operands);

// y = softmax(x), or its logarithm, over the row.
using SoftmaxRow = void (*)(const float* x, float* y, int64_t n);
SoftmaxRow softmax_row(bool log);

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias over the row; scale and bias may be null.
using LayerNormRow = void (*)(const float* x, const float* scale, const float* bias, float* y, int64_t n,
                              float epsilon);
LayerNormRow layer_norm_row();

}  // namespace bantam::kernels
