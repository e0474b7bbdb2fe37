// Operators that follow from the input's type, and those that do nothing at inference.
#include <algorithm>

#include "ops/importers.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

// ONNX Shape 1, 13, 15, 19, 21.
void import_shape(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  const Shape shape = n.shape_of(n.input(0));
  const int64_t rank = n.rank_of(n.input(0));
  const auto bound = [rank](int64_t value) {
    return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank);
  };
  const int64_t start = bound(n.attr_int("start", 0));
  const int64_t end = std::max(bound(n.attr_int("end", rank)), start);
  const Shape part(shape.begin() + start, shape.begin() + end);
  n.output(n.constant_value(Tensor::of<int64_t>({end - start}, part)));
}

// ONNX Size 1, 13, 19, 21.
void import_size(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.output(n.constant_value(Tensor::scalar<int64_t>(element_count(n.shape_of(n.input(0))))));
}

void import_identity(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  n.output(n.input(0));
}

// ONNX Dropout 7, 10 (attribute), 12, 13, 22 (inputs): nothing at inference; the mask lets everything pass.
void import_dropout(NodeImporter& n) {
  expect_input_count(n, 1, 3);
  n.ignore_attr("ratio");
  n.ignore_attr("seed");
  if (n.has_input(2)) {
    const Tensor& training = n.constant(2, "training_mode");
    if (training.type.dtype != DType::kBool || training.elements() != 1)
      n.fail("training_mode must be a bool");
    if (training.as<bool>()[0]) n.fail("training mode is not supported; export the model for inference");
  }
  n.output(0, n.input(0));
  if (n.output_count() < 2) return;
  const ValueId pass = n.opset() < 10 ? n.float_scalar(1.0f) : n.constant_value(Tensor::scalar<bool>(true));
  const TensorType mask{n.type_of(pass).dtype, n.shape_of(n.input(0))};
  n.output(1, mask.shape.empty() ? pass : n.emit(OpCode::kExpand, {pass}, {}, mask));
}

}  // namespace bantam::compiler
