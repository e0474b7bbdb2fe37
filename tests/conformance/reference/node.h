// A node for the reference loops.
#pragma once

#include <string>
#include <vector>

#include "onnx/onnx.pb.h"
#include "reference/array.h"

namespace bantam::tests {

struct Node {
  const onnx::NodeProto& proto;
  int opset;
  std::vector<const Array*> inputs;  // null: left out

  const Array& in(size_t i) const { return *inputs.at(i); }
  bool has_in(size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }

  const onnx::AttributeProto* attribute(const std::string& name) const;  // null: absent
  int64_t i(const std::string& name, int64_t otherwise) const;
  double f(const std::string& name, double otherwise) const;
  std::string s(const std::string& name, const std::string& otherwise) const;
  Index is(const std::string& name, const Index& otherwise) const;
  // What newer operator sets take as input `index` and older ones as an attribute.
  Index is_or_in(const std::string& name, size_t index, const Index& otherwise) const;
};

using Outputs = std::vector<Array>;

// The loops of a family; empty when the operator is of another one.
Outputs run_elementwise(const Node& node);
Outputs run_window(const Node& node);
Outputs run_resize(const Node& node);
Outputs run_matrix(const Node& node);
Outputs run_normalization(const Node& node);
Outputs run_reduction(const Node& node);
Outputs run_movement(const Node& node);
Outputs run_quantized(const Node& node);

// Whatever its family.
Outputs run_node(const Node& node);

// The outputs of a model, node by node.
Outputs run_reference(const onnx::ModelProto& model, const std::vector<Array>& inputs);

}  // namespace bantam::tests
