// One ONNX node while it is imported: its inputs and attributes on one side, the graph under construction on
// the other. Opset differences, defaults, negative axes and auto_pad end here.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace onnx {
class NodeProto;
class AttributeProto;
}  // namespace onnx

namespace bantam::compiler {

// Computes the outputs of `node`, whose inputs are all constant; empty when it cannot (no runtime given).
using Evaluator = std::function<std::vector<Tensor>(const Graph& graph, const Node& node)>;

class NodeImporter {
 public:
  // `inputs`: graph values of the node's inputs, kNoValue where left out.
  NodeImporter(Graph& graph, const onnx::NodeProto& proto, int opset, std::vector<ValueId> inputs,
               const Evaluator& evaluate);

  // The node's name, or its first output's when it has none.
  const std::string& name() const { return name_; }
  const std::string& type() const;  // ONNX operator type
  int opset() const { return opset_; }

  // Trailing left-out inputs and outputs are not counted.
  int input_count() const { return static_cast<int>(inputs_.size()); }
  int output_count() const;
  bool has_input(int i) const;
  ValueId input(int i) const;  // fails when left out
  TensorType type_of(ValueId id) const;
  const Shape& shape_of(ValueId id) const;
  int rank_of(ValueId id) const { return static_cast<int>(shape_of(id).size()); }
  // The input's data; fails with a message that names `what` when it is computed at run time.
  const Tensor& constant(int i, std::string_view what) const;
  bool is_constant(ValueId id) const;
  const std::string& name_of(ValueId id) const;
  const Tensor& constant_of(ValueId id) const;

  // Attributes; asking for one marks it as understood. An attribute nobody asked for fails the import.
  bool has_attr(std::string_view attr);
  int64_t attr_int(std::string_view attr, int64_t otherwise);
  float attr_float(std::string_view attr, float otherwise);
  std::string attr_string(std::string_view attr, std::string_view otherwise);
  std::vector<int64_t> attr_ints(std::string_view attr, std::vector<int64_t> otherwise = {});
  std::vector<float> attr_floats(std::string_view attr, std::vector<float> otherwise = {});
  std::optional<Tensor> attr_tensor(std::string_view attr);
  void ignore_attr(std::string_view attr) { read_.insert(std::string(attr)); }  // has no effect on inference
  // Since opset 13 some operators take an integer list as input `i` instead of as an attribute: either one.
  std::optional<std::vector<int64_t>> ints_from_input_or_attr(int i, std::string_view attr);
  // The elements of a tensor of rank 0 or 1 of int64 or int32; fails with a message that names `what`
  // otherwise.
  std::vector<int64_t> ints_of(const Tensor& tensor, std::string_view what) const;

  // Adds an op with one output. Its type is inferred, except where the inputs do not determine it (Reshape,
  // Expand, Tile, Cast, Slice, Resize): there it is `type`, and the op's infer checks it. When every input is
  // constant the op is computed at once and the result is a constant.
  ValueId emit(OpCode code, std::vector<ValueId> inputs, Attributes attributes = {},
               std::optional<TensorType> type = std::nullopt);
  // Shorthands.
  ValueId constant_value(Tensor tensor);
  ValueId float_scalar(float value) { return constant_value(Tensor::scalar<float>(value)); }
  ValueId unary(plan::UnaryKind kind, ValueId x, float alpha = 0, float beta = 0);
  ValueId binary(plan::BinaryKind kind, ValueId a, ValueId b);
  ValueId reshape(ValueId x, Shape shape);
  ValueId transpose(ValueId x, std::vector<int> perm);
  ValueId cast(ValueId x, DType dtype);

  // Of a value that this node made, for the int8 tensors between Quantize and Dequantize.
  void set_quantization(ValueId id, Quantization quantization);
  // How the model stores what is a float value here; empty for all others.
  const std::optional<Stored>& stored_of(ValueId id) const;
  void set_stored(ValueId id, const Stored& stored);

  // Declares `value` to be the node's output `i`.
  void output(int i, ValueId value);
  void output(ValueId value) { output(0, value); }

  // An axis counted from the end becomes one counted from the start; fails when out of range.
  int axis(int64_t value, int rank) const;
  [[noreturn]] void fail(const std::string& text) const;  // CompileError: "Conv node 'conv1': text"

  // For the loader, after the import.
  const std::vector<ValueId>& outputs() const { return outputs_; }
  void check_attributes_read() const;

 private:
  const onnx::AttributeProto* find(std::string_view attr);
  void expect_kind(const onnx::AttributeProto& attr, int type) const;
  TensorType infer(const Node& node) const;
  void check_type(const TensorType& type) const;
  bool fold(const Node& node);

  Graph& graph_;
  const onnx::NodeProto& proto_;
  int opset_;
  std::string name_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
  const Evaluator& evaluate_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace bantam::compiler
