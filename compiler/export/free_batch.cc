#include "export/free_batch.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "onnx/onnx.pb.h"

namespace bantam::compiler {
namespace {

bool starts_with_one(const Shape& shape) { return !shape.empty() && shape[0] == 1; }

bool has_axis_zero(const Node& node) {
  switch (node.code) {
    case OpCode::kReduce: {
      const auto& axes = node.attrs<plan::ReduceT>().axes;
      return std::find(axes.begin(), axes.end(), 0) != axes.end();
    }
    case OpCode::kTranspose:
      return node.attrs<plan::TransposeT>().perm[0] != 0;
    case OpCode::kConcat:
      return node.attrs<plan::ConcatT>().axis == 0;
    case OpCode::kSoftmax:
      return node.attrs<plan::SoftmaxT>().axis == 0;
    case OpCode::kPad:
      return node.attrs<plan::PadT>().before[0] + node.attrs<plan::PadT>().after[0] != 0;
    default:  // those that work on any axis, or whose ONNX form holds the batch
      return node.code == OpCode::kGather || node.code == OpCode::kArgMax || node.code == OpCode::kTile ||
             node.code == OpCode::kExpand || node.code == OpCode::kResize;
  }
}

// Values of lower rank than the output are aligned at its last axis, and would meet the batch elsewhere.
bool is_aligned(const Graph& graph, const Node& node) {
  const size_t rank = graph.shape(node.outputs[0]).size();
  if (!starts_with_one(graph.shape(node.outputs[0]))) return false;
  for (ValueId id : node.inputs) {
    if (id == kNoValue || graph.is_constant(id)) continue;
    if (!starts_with_one(graph.shape(id))) return false;
    const bool broadcasts =
        node.code == OpCode::kBinary || node.code == OpCode::kWhere || node.code == OpCode::kMatMul;
    if (broadcasts && graph.shape(id).size() != rank) return false;
    if (node.code == OpCode::kMatMul && rank < 3) return false;
  }
  return true;
}

}  // namespace

bool has_free_batch(const std::string& onnx_path) {
  std::ifstream file(onnx_path, std::ios::binary);
  onnx::ModelProto model;
  if (!model.ParseFromIstream(&file)) return false;  // the importer has refused it before
  std::set<std::string> initializers;                // old files list them among the inputs
  for (const auto& tensor : model.graph().initializer()) initializers.insert(tensor.name());
  for (const auto& input : model.graph().input()) {
    if (initializers.contains(input.name())) continue;
    const auto& shape = input.type().tensor_type().shape();
    if (shape.dim_size() == 0 || shape.dim(0).has_dim_value()) return false;
  }
  return true;
}

bool keeps_samples_apart(const Graph& graph) {
  for (const auto* ids : {&graph.inputs, &graph.outputs}) {
    for (ValueId id : *ids) {
      if (!starts_with_one(graph.shape(id))) return false;
    }
  }
  for (const Node& node : graph.nodes) {
    if (node.code == OpCode::kNormalizeImage) continue;
    if (!is_aligned(graph, node) || has_axis_zero(node)) return false;
  }
  return true;
}

}  // namespace bantam::compiler
