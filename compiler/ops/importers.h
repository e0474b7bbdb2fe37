// The ONNX importers; each stands in the file of the op that it becomes. onnx_list.cc names them all.
#pragma once

#include <string_view>

#include "import/node_importer.h"

namespace bantam::compiler {

// `value` as an int; fails, naming `what`, when it is not in least..most.
int checked_int(const NodeImporter& n, int64_t value, std::string_view what, int64_t least, int64_t most);
// Every axis counted from the start, ascending; fails when one is out of range or stands twice.
std::vector<int> checked_axes(const NodeImporter& n, const std::vector<int64_t>& axes, int rank);
// Fails when the node has fewer than `least` or more than `most` inputs.
void expect_input_count(const NodeImporter& n, int least, int most);

// What an operator computes, for it and its quantized forms: attributes are the node's, operands are real.
ValueId convolution(NodeImporter& n, ValueId x, ValueId weights, ValueId bias);
ValueId average_pool(NodeImporter& n, ValueId x);
ValueId global_average_pool(NodeImporter& n, ValueId x);
ValueId matrix_product(NodeImporter& n, ValueId a, ValueId b);
ValueId gemm(NodeImporter& n, ValueId a, ValueId b, ValueId c);
ValueId concatenation(NodeImporter& n, const std::vector<ValueId>& parts);
ValueId softmax(NodeImporter& n, ValueId x, int opset, bool log);

// Quantization
void import_quantize_linear(NodeImporter& n);
void import_dequantize_linear(NodeImporter& n);
void import_dynamic_quantize_linear(NodeImporter& n);
void import_conv_integer(NodeImporter& n);
void import_mat_mul_integer(NodeImporter& n);
void import_qlinear_conv(NodeImporter& n);
void import_qlinear_mat_mul(NodeImporter& n);
void import_qgemm(NodeImporter& n);
template <plan::BinaryKind kind>
void import_qlinear_binary(NodeImporter& n);
void import_qlinear_average_pool(NodeImporter& n);
void import_qlinear_global_average_pool(NodeImporter& n);
void import_qlinear_concat(NodeImporter& n);
void import_qlinear_leaky_relu(NodeImporter& n);
void import_qlinear_sigmoid(NodeImporter& n);
void import_qlinear_softmax(NodeImporter& n);

// Convolution and windows
void import_conv(NodeImporter& n);
void import_conv_transpose(NodeImporter& n);
void import_max_pool(NodeImporter& n);
void import_average_pool(NodeImporter& n);
void import_resize(NodeImporter& n);
void import_upsample(NodeImporter& n);

// Matrices
void import_gemm(NodeImporter& n);
void import_mat_mul(NodeImporter& n);

// Elementwise
template <plan::UnaryKind kind>
void import_unary(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.output(n.unary(kind, n.input(0)));
}
template <plan::BinaryKind kind>
void import_binary(NodeImporter& n) {
  expect_input_count(n, 2, 2);
  n.output(n.binary(kind, n.input(0), n.input(1)));
}
void import_relu(NodeImporter& n);
void import_clip(NodeImporter& n);
void import_leaky_relu(NodeImporter& n);
void import_elu(NodeImporter& n);
void import_celu(NodeImporter& n);
void import_selu(NodeImporter& n);
void import_hard_sigmoid(NodeImporter& n);
void import_thresholded_relu(NodeImporter& n);
void import_gelu(NodeImporter& n);
void import_pow(NodeImporter& n);
void import_mod(NodeImporter& n);
void import_sum(NodeImporter& n);
void import_mean(NodeImporter& n);
void import_min(NodeImporter& n);
void import_max(NodeImporter& n);
void import_where(NodeImporter& n);
void import_cast(NodeImporter& n);
void import_cast_like(NodeImporter& n);

// Normalization
void import_batch_norm(NodeImporter& n);
void import_instance_norm(NodeImporter& n);
void import_layer_norm(NodeImporter& n);
void import_softmax(NodeImporter& n);
void import_log_softmax(NodeImporter& n);

// Reduction
template <plan::ReduceKind kind>
void import_reduce(NodeImporter& n);
void import_reduce_log_sum(NodeImporter& n);
void import_reduce_log_sum_exp(NodeImporter& n);
void import_global_average_pool(NodeImporter& n);
void import_global_max_pool(NodeImporter& n);
void import_arg_max(NodeImporter& n);
void import_arg_min(NodeImporter& n);

// Movement
void import_concat(NodeImporter& n);
void import_slice(NodeImporter& n);
void import_split(NodeImporter& n);
void import_pad(NodeImporter& n);
void import_transpose(NodeImporter& n);
void import_reshape(NodeImporter& n);
void import_flatten(NodeImporter& n);
void import_squeeze(NodeImporter& n);
void import_unsqueeze(NodeImporter& n);
void import_expand(NodeImporter& n);
void import_tile(NodeImporter& n);
void import_gather(NodeImporter& n);
void import_gather_elements(NodeImporter& n);
void import_depth_to_space(NodeImporter& n);
void import_space_to_depth(NodeImporter& n);

// Constants, and what follows from types alone
void import_constant(NodeImporter& n);
void import_constant_of_shape(NodeImporter& n);
void import_range(NodeImporter& n);
void import_shape(NodeImporter& n);
void import_size(NodeImporter& n);
void import_identity(NodeImporter& n);
void import_dropout(NodeImporter& n);

}  // namespace bantam::compiler
