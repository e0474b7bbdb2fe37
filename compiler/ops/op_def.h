// What the compiler knows of an op. Every op stands in kOps (op_list.cc) and every ONNX operator in
// kOnnxOps (onnx_list.cc); an op's file holds its ONNX importers and its shape rule.
#pragma once

#include <span>
#include <string_view>

#include "import/node_importer.h"
#include "ir/graph.h"

namespace bantam::compiler {

// How an op can run in int8.
enum class Int8Rule {
  kNone,       // float only
  kWeights,    // int8 activations, int8 weights per output channel, int32 bias
  kFree,       // int8 in and out, each with its own scale
  kSameScale,  // moves or selects elements: output scale = scale of every input
  kLookup,     // a function of one element: a table of 256
};

struct OpDef {
  OpCode code;
  std::string_view name;
  // The output's type, from the inputs' types and the attributes. Where these do not determine it (Reshape,
  // Expand, Tile, Cast, Slice, Resize) the type that the output value already has is checked and returned.
  // Throws CompileError naming the node when they contradict.
  TensorType (*infer)(const Graph& graph, const Node& node);
  Int8Rule int8 = Int8Rule::kNone;
  bool spatial = false;  // reads NCHW or NHWC by Graph::layout
  bool elementwise =
      false;  // output element depends on the input elements at the same place (after broadcast)
};

const OpDef& op_def(OpCode code);
std::span<const OpDef> all_ops();

struct OnnxOp {
  std::string_view type;
  void (*import)(NodeImporter& node);
};
// Null when bantam has no such operator.
const OnnxOp* find_onnx_op(std::string_view type);
std::span<const OnnxOp> all_onnx_ops();

}  // namespace bantam::compiler
