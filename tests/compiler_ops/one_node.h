// One ONNX node, imported on its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "import/node_importer.h"
#include "ir/graph.h"

namespace bantam::tests {

using namespace compiler;  // NOLINT: the tests of the compiler speak its language

Tensor ints(std::vector<int64_t> values);
Tensor floats(std::vector<float> values);

struct Imported {
  Graph graph;
  std::vector<ValueId> outputs;

  std::string type(size_t i = 0) const { return to_string(graph.value(outputs.at(i)).type); }
  // "Conv2d Unary": the ops in order.
  std::string ops() const;
  // The attributes of the only node of a kind.
  template <typename T>
  const T& only() const {
    const T* found = nullptr;
    int count = 0;
    for (const Node& node : graph.nodes) {
      if (const T* attributes = std::get_if<T>(&node.attributes)) found = attributes, ++count;
    }
    expect_one(count);
    return *found;
  }

 private:
  static void expect_one(int count);
};

class OneNode {
 public:
  explicit OneNode(std::string type, int opset = 17);
  OneNode(OneNode&&) noexcept;
  OneNode& operator=(OneNode&&) noexcept;
  ~OneNode();

  OneNode& input(Shape shape, DType dtype = DType::kFloat32);
  OneNode& constant(Tensor tensor);
  OneNode& stored(Stored how);  // of the last input
  OneNode& left_out();
  OneNode& domain(const std::string& name);
  OneNode& attr(const std::string& name, int64_t value);
  OneNode& attr(const std::string& name, int value) { return attr(name, static_cast<int64_t>(value)); }
  OneNode& attr(const std::string& name, float value);
  OneNode& attr(const std::string& name, const char* value);
  OneNode& attrs(const std::string& name, std::vector<int64_t> values);
  OneNode& attr_floats(const std::string& name, std::vector<float> values);
  OneNode& outputs(int count);

  // Everything the loader does for a node; the graph is checked afterwards.
  Imported import(const Evaluator& evaluate = {}) const;
  // The message of the CompileError; empty when there is none.
  std::string refusal() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bantam::tests
