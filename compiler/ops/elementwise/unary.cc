#include <limits>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

using plan::UnaryKind;

TensorType infer_unary(const Graph& graph, const Node& node) {
  const auto& attributes = attributes_of<plan::UnaryT>(node);
  expect_inputs(node, 1);
  const TensorType& x = input_type(graph, node, 0);
  switch (attributes.kind) {
    case UnaryKind::kNot:
      expect_dtype(graph, node, 0, {DType::kBool});
      return x;
    case UnaryKind::kIsNaN:
      expect_dtype(graph, node, 0, {DType::kFloat32, DType::kFloat16});
      return {DType::kBool, x.shape};
    case UnaryKind::kNeg:
    case UnaryKind::kAbs:
    case UnaryKind::kSign:
    case UnaryKind::kSquare:
      if (!is_integer(x.dtype) || x.dtype == DType::kUInt8) expect_real(graph, node, 0);
      return x;
    default:
      expect_real(graph, node, 0);
      return x;
  }
}

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool is_float(const NodeImporter& n, ValueId x) { return n.type_of(x).dtype == DType::kFloat32; }

ValueId integer_scalar(NodeImporter& n, DType dtype, int64_t value) {
  if (dtype == DType::kInt64) return n.constant_value(Tensor::scalar<int64_t>(value));
  return n.constant_value(Tensor::scalar<int32_t>(static_cast<int32_t>(value)));
}

}  // namespace

// ONNX Relu 6, 13, 14.
void import_relu(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  const ValueId x = n.input(0);
  const DType dtype = n.type_of(x).dtype;
  if (dtype == DType::kInt32 || dtype == DType::kInt64) {
    n.output(n.binary(plan::BinaryKind::kMax, x, integer_scalar(n, dtype, 0)));
  } else {
    n.output(n.unary(UnaryKind::kClamp, x, 0.0f, kInfinity));
  }
}

namespace {

// Bounds that are computed at run time, or of integers.
ValueId clip_by_min_max(NodeImporter& n) {
  ValueId y = n.input(0);
  for (int i = 1; i <= 2; ++i) {
    if (!n.has_input(i)) continue;
    if (element_count(n.shape_of(n.input(i))) != 1) n.fail(fmt::format("bound {} must be a scalar", i));
    y = n.binary(i == 1 ? plan::BinaryKind::kMax : plan::BinaryKind::kMin, y, n.reshape(n.input(i), {}));
  }
  return y;
}

float constant_bound(const NodeImporter& n, int i, float otherwise) {
  return n.has_input(i) ? n.constant_of(n.input(i)).as<float>()[0] : otherwise;
}

}  // namespace

// ONNX Clip 6 (attributes), 11, 12, 13 (inputs). min(max(x, low), high), also when low > high.
void import_clip(NodeImporter& n) {
  const ValueId x = n.input(0);
  if (n.opset() < 11) {
    expect_input_count(n, 1, 1);
    const float low = n.attr_float("min", std::numeric_limits<float>::lowest());
    n.output(n.unary(UnaryKind::kClamp, x, low, n.attr_float("max", std::numeric_limits<float>::max())));
    return;
  }
  expect_input_count(n, 1, 3);
  bool known = is_float(n, x);
  for (int i = 1; i <= 2; ++i) {
    if (!n.has_input(i)) continue;
    const ValueId bound = n.input(i);
    known = known && n.is_constant(bound) && is_float(n, bound) && n.constant_of(bound).elements() == 1;
  }
  if (n.input_count() == 1) {
    n.output(x);
  } else if (known) {
    n.output(
        n.unary(UnaryKind::kClamp, x, constant_bound(n, 1, -kInfinity), constant_bound(n, 2, kInfinity)));
  } else {
    n.output(clip_by_min_max(n));
  }
}

namespace {

void import_with(NodeImporter& n, UnaryKind kind, float alpha, float beta = 0.0f) {
  expect_input_count(n, 1, 1);
  n.output(n.unary(kind, n.input(0), alpha, beta));
}

}  // namespace

void import_leaky_relu(NodeImporter& n) {
  import_with(n, UnaryKind::kLeakyRelu, n.attr_float("alpha", 0.01f));
}
void import_elu(NodeImporter& n) { import_with(n, UnaryKind::kElu, n.attr_float("alpha", 1.0f)); }
void import_celu(NodeImporter& n) { import_with(n, UnaryKind::kCelu, n.attr_float("alpha", 1.0f)); }
void import_thresholded_relu(NodeImporter& n) {
  import_with(n, UnaryKind::kThresholdedRelu, n.attr_float("alpha", 1.0f));
}

// Defaults of ONNX Selu 6. The op's alpha is ONNX's alpha, its beta ONNX's gamma.
void import_selu(NodeImporter& n) {
  const float alpha = n.attr_float("alpha", 1.67326319217681884765625f);
  import_with(n, UnaryKind::kSelu, alpha, n.attr_float("gamma", 1.05070102214813232421875f));
}

void import_hard_sigmoid(NodeImporter& n) {
  const float alpha = n.attr_float("alpha", 0.2f);
  import_with(n, UnaryKind::kHardSigmoid, alpha, n.attr_float("beta", 0.5f));
}

// ONNX Gelu 20.
void import_gelu(NodeImporter& n) {
  const std::string approximate = n.attr_string("approximate", "none");
  if (approximate != "none" && approximate != "tanh") {
    n.fail(fmt::format("approximate '{}'; supported: none, tanh", approximate));
  }
  import_with(n, approximate == "tanh" ? UnaryKind::kGeluTanh : UnaryKind::kGelu, 0.0f);
}

}  // namespace bantam::compiler
