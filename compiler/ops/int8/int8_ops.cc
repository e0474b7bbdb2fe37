// Ops that no ONNX operator becomes: the compiler's passes put them in.
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_lookup(const Graph& graph, const Node& node) {
  expect_inputs(node, 2);
  expect_dtype(graph, node, 0, {DType::kInt8});
  expect_dtype(graph, node, 1, {DType::kInt8});
  expect_vector(graph, node, 1, 256);
  return input_type(graph, node, 0);
}

TensorType infer_quantize(const Graph& graph, const Node& node) {
  expect_inputs(node, 1);
  expect_dtype(graph, node, 0, {DType::kFloat32, DType::kFloat16});
  return {DType::kInt8, input_type(graph, node, 0).shape};
}

TensorType infer_dequantize(const Graph& graph, const Node& node) {
  expect_inputs(node, 1);
  expect_dtype(graph, node, 0, {DType::kInt8});
  const bool half = output_type(graph, node).dtype == DType::kFloat16;
  return {half ? DType::kFloat16 : DType::kFloat32, input_type(graph, node, 0).shape};
}

TensorType infer_requantize(const Graph& graph, const Node& node) {
  expect_inputs(node, 1);
  expect_dtype(graph, node, 0, {DType::kInt8});
  return input_type(graph, node, 0);
}

TensorType infer_normalize_image(const Graph& graph, const Node& node) {
  expect_inputs(node, 2);
  expect_dtype(graph, node, 0, {DType::kUInt8});
  expect_rank(graph, node, 0, 4);
  const Shape& image = input_type(graph, node, 0).shape;
  const TensorType& table = input_type(graph, node, 1);
  if (table.shape != Shape{image[3], 256}) {
    fail(node, fmt::format("its table is [{}], it must be [{}x256]", to_string(table.shape), image[3]));
  }
  return {table.dtype, image};
}

TensorType infer_copy(const Graph& graph, const Node& node) {
  expect_inputs(node, 1);
  return input_type(graph, node, 0);
}

}  // namespace bantam::compiler
