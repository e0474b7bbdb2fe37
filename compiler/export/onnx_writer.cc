#include "export/onnx_writer.h"

#include "export/onnx_builder.h"

namespace bantam::compiler {
namespace {

void write_node(OnnxBuilder& builder, const Node& node) {
  switch (node.code) {
    case OpCode::kConv2d:
    case OpCode::kConvTranspose2d:
    case OpCode::kMaxPool2d:
    case OpCode::kAveragePool2d:
    case OpCode::kResize:
    case OpCode::kInstanceNorm:
      return write_spatial(builder, node);
    case OpCode::kFullyConnected:
    case OpCode::kMatMul:
    case OpCode::kLayerNorm:
      return write_matrix(builder, node);
    case OpCode::kUnary:
    case OpCode::kBinary:
    case OpCode::kWhere:
    case OpCode::kCast:
    case OpCode::kCopy:
      return write_elementwise(builder, node);
    case OpCode::kReduce:
    case OpCode::kArgMax:
    case OpCode::kSoftmax:
      return write_reduction(builder, node);
    case OpCode::kConcat:
    case OpCode::kSlice:
    case OpCode::kPad:
    case OpCode::kTranspose:
    case OpCode::kReshape:
    case OpCode::kTile:
    case OpCode::kExpand:
    case OpCode::kGather:
      return write_movement(builder, node);
    default:
      fail_to_write(node, "it stands for no ONNX operator");
  }
}

}  // namespace

std::string write_onnx(const Graph& graph, bool free_batch) {
  OnnxBuilder builder(graph, free_batch);
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    if (i > 0 || !graph.has_preprocessing) builder.add_input(graph.inputs[i], Form::kPlain);
  }
  for (const Node& node : graph.nodes) {
    if (node.code == OpCode::kNormalizeImage) {
      builder.add_input(node.outputs[0], Form::kPlanar);
    } else {
      write_node(builder, node);
    }
  }
  for (ValueId id : graph.outputs) builder.add_output(id);
  return builder.serialized();
}

}  // namespace bantam::compiler
