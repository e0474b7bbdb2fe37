// Tensors of integers that stand for real numbers: real = scale * (q - zero_point). In the graph they are the
// real numbers themselves. Where scale and zero point are constant and one for the whole tensor, a Quantize
// and a Dequantize put them on the model's grid, which the adopt_quantization pass absorbs into int8 ops;
// uint8 is there int8, its zero point less by 128, which changes no real number. All else is float
// arithmetic.
#pragma once

#include <string>
#include <vector>

#include "import/node_importer.h"

namespace bantam::compiler {

// Scale and zero point as a node states them.
struct Scheme {
  DType dtype = DType::kUInt8;       // of the integers
  int axis = -1;                     // of `scales`; -1: one for the whole tensor
  std::vector<float> scales;         // empty: scale or zero point are computed at run time
  std::vector<int32_t> zero_points;  // as many as scales
  ValueId scale = kNoValue;          // the node's inputs
  ValueId zero_point = kNoValue;

  bool constant() const { return !scales.empty(); }
  bool one_for_all() const { return constant() && axis < 0; }
};

// From inputs `scale` and `zero_point` (which may be left out: 0) of a tensor called `what`, whose shape is
// `shape`; scales along `axis` have its length. Fails on missing, non-positive, non-finite and wrongly shaped
// scales, and on zero points that are not of `dtype`.
Scheme read_scheme(const NodeImporter& n, const std::string& what, int scale, int zero_point, DType dtype,
                   const Shape& shape, int axis);

// The integers' type of a tensor that the model stores as integers: a constant, an input, or what another
// quantized operator made. Fails, naming `what`, when it is none.
DType stored_dtype(const NodeImporter& n, ValueId id, const std::string& what);
// The type of the zero point that input i gives; uint8 where it is left out.
DType zero_point_dtype(const NodeImporter& n, int i);

// The real numbers of the integers `id`.
ValueId dequantized(NodeImporter& n, ValueId id, const Scheme& scheme);
// The integers of the real numbers `x`.
ValueId quantized(NodeImporter& n, ValueId x, const Scheme& scheme);
ValueId quantized(NodeImporter& n, ValueId x, const Stored& stored);
// The integers `id` as float32 numbers.
ValueId as_numbers(NodeImporter& n, ValueId id);

// quantized and dequantized for operators that state a scheme for a whole tensor: the tensor stands at input
// `first`, its scale and zero point behind it.
ValueId dequantized_input(NodeImporter& n, int first, const std::string& what, int axis = -1);
// Declares output 0 to be `x`, quantized as inputs `scale` and `scale` + 1 state.
void quantized_output(NodeImporter& n, ValueId x, int scale);

}  // namespace bantam::compiler
