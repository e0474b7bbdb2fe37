#include <algorithm>

#include "ops/importers.h"
#include "ops/infer.h"
#include "ops/shape_rules.h"

namespace bantam::compiler {

TensorType infer_transpose(const Graph& graph, const Node& node) {
  const std::vector<int>& perm = attributes_of<plan::TransposeT>(node).perm;
  expect_inputs(node, 1);
  const TensorType& x = input_type(graph, node, 0);
  if (perm.size() != x.shape.size()) {
    fail(node, fmt::format("perm has {} entries for [{}]", perm.size(), to_string(x.shape)));
  }
  Shape shape;
  std::vector<bool> taken(perm.size(), false);
  for (int axis : perm) {
    expect_axis(node, axis, perm.size());
    if (taken[static_cast<size_t>(axis)]) fail(node, fmt::format("perm names dimension {} twice", axis));
    taken[static_cast<size_t>(axis)] = true;
    shape.push_back(x.shape[static_cast<size_t>(axis)]);
  }
  return {x.dtype, shape};
}

// ONNX Transpose 1, 13: reversed when there is no perm.
void import_transpose(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  std::vector<int> perm;
  if (n.has_attr("perm")) {
    for (int64_t axis : n.attr_ints("perm")) perm.push_back(n.axis(axis, n.rank_of(n.input(0))));
  } else {
    for (int i = n.rank_of(n.input(0)) - 1; i >= 0; --i) perm.push_back(i);
  }
  n.output(n.transpose(n.input(0), std::move(perm)));
}

namespace {

int read_block_size(NodeImporter& n) {
  if (n.rank_of(n.input(0)) != 4)
    n.fail(fmt::format("input [{}]; supported: [N,C,H,W]", to_string(n.shape_of(n.input(0)))));
  return checked_int(n, n.attr_int("blocksize", 0), "blocksize", 1, 1 << 15);
}

}  // namespace

// ONNX DepthToSpace 1, 11, 13.
void import_depth_to_space(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  const int64_t block = read_block_size(n);
  const std::string mode = n.attr_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") n.fail(fmt::format("mode '{}'; supported: DCR, CRD", mode));
  const Shape x = n.shape_of(n.input(0));
  const int64_t channels = x[1] / (block * block);
  if (x[1] % (block * block) != 0) n.fail(fmt::format("{} channels do not fit blocksize {}", x[1], block));
  const bool depth_first = mode == "DCR";
  const Shape split = depth_first ? Shape{x[0], block, block, channels, x[2], x[3]}
                                  : Shape{x[0], channels, block, block, x[2], x[3]};
  const std::vector<int> perm =
      depth_first ? std::vector<int>{0, 3, 4, 1, 5, 2} : std::vector<int>{0, 1, 4, 2, 5, 3};
  n.output(n.reshape(n.transpose(n.reshape(n.input(0), split), perm),
                     {x[0], channels, x[2] * block, x[3] * block}));
}

// ONNX SpaceToDepth 1, 13.
void import_space_to_depth(NodeImporter& n) {
  expect_input_count(n, 1, 1);
  const int64_t block = read_block_size(n);
  const Shape x = n.shape_of(n.input(0));
  if (x[2] % block != 0 || x[3] % block != 0)
    n.fail(fmt::format("{}x{} does not fit blocksize {}", x[2], x[3], block));
  const Shape split = {x[0], x[1], x[2] / block, block, x[3] / block, block};
  const ValueId moved = n.transpose(n.reshape(n.input(0), split), {0, 3, 5, 1, 2, 4});
  n.output(n.reshape(moved, {x[0], x[1] * block * block, x[2] / block, x[3] / block}));
}

}  // namespace bantam::compiler
