#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

using plan::BinaryKind;

namespace {

void expect_operands(const Graph& graph, const Node& node, BinaryKind kind) {
  const DType dtype = input_type(graph, node, 0).dtype;
  switch (kind) {
    case BinaryKind::kAnd:
    case BinaryKind::kOr:
    case BinaryKind::kXor:
      return expect_dtype(graph, node, 0, {DType::kBool});
    case BinaryKind::kMod:
      return expect_dtype(graph, node, 0, {DType::kInt32, DType::kInt64, DType::kUInt8});
    case BinaryKind::kPRelu:
      return expect_real(graph, node, 0);
    case BinaryKind::kEqual:
      if (dtype == DType::kBool) return;
      [[fallthrough]];
    default:
      if (!is_integer(dtype)) expect_real(graph, node, 0);
  }
}

bool is_comparison(BinaryKind kind) {
  return kind == BinaryKind::kEqual || kind == BinaryKind::kLess || kind == BinaryKind::kLessOrEqual ||
         kind == BinaryKind::kGreater || kind == BinaryKind::kGreaterOrEqual;
}

}  // namespace

TensorType infer_binary(const Graph& graph, const Node& node) {
  const BinaryKind kind = attributes_of<plan::BinaryT>(node).kind;
  expect_inputs(node, 2);
  expect_operands(graph, node, kind);
  expect_same_dtype(graph, node, 1);
  const TensorType& a = input_type(graph, node, 0);
  Shape shape = broadcast(node, a.shape, input_type(graph, node, 1).shape);
  if (kind == BinaryKind::kPRelu && shape != a.shape) {
    fail(node, fmt::format("slope [{}] does not broadcast to [{}]",
                           to_string(input_type(graph, node, 1).shape), to_string(a.shape)));
  }
  return {is_comparison(kind) ? DType::kBool : a.dtype, std::move(shape)};
}

// ONNX Pow 7, 12, 13, 15: the result has the base's type, whatever the exponent's is.
void import_pow(NodeImporter& n) {
  expect_input_count(n, 2, 2);
  const ValueId base = n.input(0);
  const DType dtype = n.type_of(base).dtype;
  const bool real_exponent = n.type_of(n.input(1)).dtype == DType::kFloat32;
  const DType computed = real_exponent ? DType::kFloat32 : dtype;
  const ValueId power = n.binary(BinaryKind::kPow, n.cast(base, computed), n.cast(n.input(1), computed));
  n.output(n.cast(power, dtype));
}

// ONNX Mod 10, 13.
void import_mod(NodeImporter& n) {
  expect_input_count(n, 2, 2);
  const bool fmod = n.attr_int("fmod", 0) != 0;
  if (!fmod && n.type_of(n.input(0)).dtype == DType::kFloat32) n.fail("float inputs need fmod=1");
  n.output(n.binary(fmod ? BinaryKind::kFmod : BinaryKind::kMod, n.input(0), n.input(1)));
}

namespace {

ValueId chain(NodeImporter& n, BinaryKind kind) {
  ValueId result = n.input(0);
  for (int i = 1; i < n.input_count(); ++i) result = n.binary(kind, result, n.input(i));
  return result;
}

}  // namespace

void import_sum(NodeImporter& n) { n.output(chain(n, BinaryKind::kAdd)); }
void import_min(NodeImporter& n) { n.output(chain(n, BinaryKind::kMin)); }
void import_max(NodeImporter& n) { n.output(chain(n, BinaryKind::kMax)); }
void import_mean(NodeImporter& n) {
  const ValueId sum = chain(n, BinaryKind::kAdd);
  if (n.input_count() == 1) return n.output(sum);
  n.output(n.binary(BinaryKind::kDiv, sum, n.float_scalar(static_cast<float>(n.input_count()))));
}

}  // namespace bantam::compiler
