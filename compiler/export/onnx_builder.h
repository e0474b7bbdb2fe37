// The ONNX model under construction. A 4-d value of the graph is NHWC; in ONNX it exists as it is (plain), as
// NCHW (planar), or both: what a node asks for and is not there yet is made by a Transpose.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "onnx/onnx.pb.h"

namespace bantam::compiler {

int onnx_dtype(DType dtype);  // an onnx::TensorProto::DataType

enum class Form { kPlain, kPlanar };

class OnnxBuilder {
 public:
  OnnxBuilder(const Graph& graph, bool free_batch);

  const Graph& graph() const { return graph_; }
  bool free_batch() const { return free_batch_; }

  // The name of `id` in a form; made if needed. Planar only of 4-d values.
  std::string name(ValueId id, Form form);
  bool has(ValueId id, Form form) const;  // without a new node; constants have both
  // Declares that `id` is there under the name.
  void define(ValueId id, Form form, const std::string& name);

  // Adds a node without inputs and outputs.
  onnx::NodeProto& add(const std::string& type, const std::string& like);
  // Adds one of these inputs, with a new output for `id`.
  onnx::NodeProto& add(const std::string& type, const Node& node, std::vector<std::string> inputs, Form form);
  // Adds one whose result is no value of the graph; returns the result's name.
  std::string add_inner(const std::string& type, const Node& node, std::vector<std::string> inputs);
  std::string add_transpose(const Node& node, const std::string& input, const std::vector<int64_t>& perm);

  std::string initializer(const std::string& like, const Tensor& tensor);
  std::string ints(const std::string& like, const std::vector<int64_t>& values);
  std::string scalar(const std::string& like, float value);

  void add_input(ValueId id, Form form);
  void add_output(ValueId id);
  std::string serialized() const { return model_.SerializeAsString(); }

 private:
  std::string fresh(const std::string& like);
  void describe(onnx::ValueInfoProto& info, ValueId id, Form form) const;

  const Graph& graph_;
  const bool free_batch_;
  onnx::ModelProto model_;
  std::set<std::string> names_;
  std::set<std::string> node_names_;
  std::map<std::pair<ValueId, Form>, std::string> known_;
};

void set_attribute(onnx::NodeProto& node, const std::string& name, int64_t value);
void set_attribute(onnx::NodeProto& node, const std::string& name, float value);
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::string& value);
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values);

inline constexpr int kPlanarAxis[] = {0, 2, 3, 1};  // where each axis of NHWC is in NCHW

// The shape and the axes as they are in a form.
Shape in_form(const Shape& shape, Form form);
int64_t axis_in_form(int64_t axis, Form form);

// One op of the graph; in export/write_*.cc by kind.
void write_spatial(OnnxBuilder& builder, const Node& node);
void write_matrix(OnnxBuilder& builder, const Node& node);
void write_elementwise(OnnxBuilder& builder, const Node& node);
void write_movement(OnnxBuilder& builder, const Node& node);
void write_reduction(OnnxBuilder& builder, const Node& node);

// Planar when the node's first computed 4-d input is there in that form, and `node` gives a 4-d output.
Form natural_form(const OnnxBuilder& builder, const Node& node);
[[noreturn]] void fail_to_write(const Node& node, const std::string& what);

}  // namespace bantam::compiler
