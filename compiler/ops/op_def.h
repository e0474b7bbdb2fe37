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

// What an operator does with tensors of integers that stand for real numbers (Value::stored).
enum class StoredRule {
  kRefuses,
  kMoves,  // moves or selects elements: the outputs are stored like the inputs
  kReads,  // knows them
};

struct OnnxOp {
  std::string_view type;
  void (*import)(NodeImporter& node);
  StoredRule stored = StoredRule::kRefuses;
};
// Beside ONNX's own domain, which files call "" or "ai.onnx", the one that bantam reads.
inline constexpr std::string_view kMicrosoft = "com.microsoft";
// Null when bantam has no such operator.
const OnnxOp* find_onnx_op(std::string_view type, std::string_view domain = "");
// Those of a domain, by name; none of one that is not read.
std::span<const OnnxOp> all_onnx_ops(std::string_view domain = "");

}  // namespace bantam::compiler
