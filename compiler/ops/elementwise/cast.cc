#include "import/onnx_tensor.h"
#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/quantized/scheme.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_cast(const Graph& graph, const Node& node) {
  expect_inputs(node, 1);
  return {output_type(graph, node).dtype, input_type(graph, node, 0).shape};
}

// ONNX Cast 6, 9, 13, 19, 21.
void import_cast(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.ignore_attr("saturate");  // of float8, which is refused
  if (!n.has_attr("to")) n.fail("attribute to is missing");
  const int64_t to = checked_int(n, n.attr_int("to", 0), "to", 0, INT32_MAX);
  const std::optional<DType> dtype = dtype_from_onnx(static_cast<int>(to));
  if (!dtype) n.fail(fmt::format("a cast to {} is not supported", onnx_type_name(static_cast<int>(to))));
  const ValueId x = n.input(0);
  n.output(n.cast(n.stored_of(x) ? as_numbers(n, x) : x, *dtype));
}

// ONNX CastLike 15, 19, 21.
void import_cast_like(NodeImporter& n) {
  expect_input_count(n, 2, 2);
  n.ignore_attr("saturate");
  n.output(n.cast(n.input(0), n.type_of(n.input(1)).dtype));
}

}  // namespace bantam::compiler
