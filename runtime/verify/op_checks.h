// What kernels rely on, per op. A check returns what is wrong, a static text, or null. When it is called the
// op has one output, as many inputs as its row in op_checks.cc allows, and the attributes table named there.
#pragma once

#include "bantam/runtime/kernel.h"

namespace bantam::verify {

const char* check_conv2d(const OpContext& op);
const char* check_conv_transpose2d(const OpContext& op);
const char* check_pool2d(const OpContext& op);
const char* check_average_pool2d(const OpContext& op);
const char* check_resize(const OpContext& op);
const char* check_instance_norm(const OpContext& op);
const char* check_normalize_image(const OpContext& op);

const char* check_fully_connected(const OpContext& op);
const char* check_narrow_fully_connected(const OpContext& op);
const char* check_mat_mul(const OpContext& op);

const char* check_reduce(const OpContext& op);
const char* check_arg_max(const OpContext& op);
const char* check_softmax(const OpContext& op);
const char* check_layer_norm(const OpContext& op);

const char* check_unary(const OpContext& op);
const char* check_binary(const OpContext& op);
const char* check_where(const OpContext& op);
const char* check_cast(const OpContext& op);
const char* check_lookup(const OpContext& op);
const char* check_quantize(const OpContext& op);
const char* check_dequantize(const OpContext& op);
const char* check_requantize(const OpContext& op);

const char* check_concat(const OpContext& op);
const char* check_slice(const OpContext& op);
const char* check_pad(const OpContext& op);
const char* check_transpose(const OpContext& op);
const char* check_reshape(const OpContext& op);
const char* check_tile(const OpContext& op);
const char* check_expand(const OpContext& op);
const char* check_gather(const OpContext& op);
const char* check_copy(const OpContext& op);

// ---- What several of them need

#define BANTAM_CHECK(condition, problem) \
  do {                                   \
    if (!(condition)) return problem;    \
  } while (false)
#define BANTAM_RETURN_IF_PROBLEM(check)                  \
  do {                                                   \
    if (const char* problem_ = (check)) return problem_; \
  } while (false)

template <typename T>
const T& attributes(const OpContext& op) {
  return *op.op->attributes_as<T>();
}

inline bool is_float(const TensorInfo& tensor) {
  return tensor.dtype == plan::DType::kFloat32 || tensor.dtype == plan::DType::kFloat16;
}
inline bool is_int8(const TensorInfo& tensor) {
  return tensor.dtype == plan::DType::kInt8 && tensor.quantized();
}
// A number to calculate with: float, or quantized int8 with one scale.
inline bool is_real(const TensorInfo& tensor) {
  return is_float(tensor) || (is_int8(tensor) && tensor.scale_count == 1);
}

bool same_shape(const TensorInfo& a, const TensorInfo& b);
bool is_vector(const TensorInfo& tensor, int32_t length);  // shape [length]
// `out` has the shape to which a and b broadcast (ONNX multidirectional broadcasting).
bool broadcasts_to(const TensorInfo& a, const TensorInfo& b, const TensorInfo& out);
// A sound output clamp, or none.
bool is_clamp(const plan::Clamp* clamp);
// Input, weights, bias and output of an op with weights: dtypes and quantization, channels on axis 0 of the
// weights.
const char* check_weighted_dtypes(const OpContext& op);

inline constexpr char kShapeProblem[] = "the shape of its output contradicts its inputs and attributes";
inline constexpr char kDtypeProblem[] = "the dtypes of its inputs and output do not fit together";
inline constexpr char kQuantizationProblem[] = "an int8 tensor lacks a scale, or has more than one";
inline constexpr char kClampProblem[] = "its clamp is empty or not a number";
inline constexpr char kAxisProblem[] = "an axis is out of range";
inline constexpr char kEnumProblem[] = "an attribute has an unknown value";
inline constexpr char kRankProblem[] = "an input or output has the wrong number of dimensions";
inline constexpr char kWindowProblem[] = "a kernel, stride, dilation or padding is out of range";

}  // namespace bantam::verify
