#include "ops/importers.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

// ONNX BatchNormalization 7, 9, 14, 15: y = x * s + (bias - mean * s) with s = scale / sqrt(variance +
// epsilon), per channel (dimension 1).
void import_batch_norm(NodeImporter& n) {
  expect_input_count(n, 5, 5);
  n.ignore_attr("momentum");
  if (n.attr_int("training_mode", 0) != 0 || n.output_count() > 1) {
    n.fail("training mode is not supported; export the model for inference");
  }
  if (n.opset() < 9 && n.attr_int("spatial", 1) == 0) n.fail("spatial=0 is not supported");
  const ValueId x = n.input(0);
  if (n.rank_of(x) < 2) n.fail(fmt::format("input [{}] has no channel dimension", to_string(n.shape_of(x))));
  const int64_t channels = n.shape_of(x)[1];
  Shape per_channel(static_cast<size_t>(n.rank_of(x)) - 1, 1);
  per_channel[0] = channels;
  std::vector<ValueId> parameters;
  for (int i = 1; i < 5; ++i) {
    if (n.shape_of(n.input(i)) != Shape{channels}) {
      n.fail(
          fmt::format("input {} is [{}], it must be [{}]", i, to_string(n.shape_of(n.input(i))), channels));
    }
    parameters.push_back(n.input(i));
  }
  const ValueId epsilon = n.float_scalar(n.attr_float("epsilon", 1e-5f));
  const ValueId deviation =
      n.unary(plan::UnaryKind::kSqrt, n.binary(plan::BinaryKind::kAdd, parameters[3], epsilon));
  const ValueId scale = n.binary(plan::BinaryKind::kDiv, parameters[0], deviation);
  const ValueId shift =
      n.binary(plan::BinaryKind::kSub, parameters[1], n.binary(plan::BinaryKind::kMul, parameters[2], scale));
  const ValueId product = n.binary(plan::BinaryKind::kMul, x, n.reshape(scale, per_channel));
  n.output(n.binary(plan::BinaryKind::kAdd, product, n.reshape(shift, per_channel)));
}

}  // namespace bantam::compiler
