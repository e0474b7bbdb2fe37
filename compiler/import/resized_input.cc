#include "import/resized_input.h"

#include <fmt/format.h>

#include <set>

#include "bantam/compiler/error.h"
#include "import/onnx_loader.h"
#include "onnx/onnx.pb.h"

namespace bantam::compiler {
namespace {

using ShapeBindings = std::map<std::string, std::vector<int64_t>>;

onnx::TypeProto_Tensor* tensor_of_input(onnx::ModelProto& model, const std::string& name) {
  for (auto& input : *model.mutable_graph()->mutable_input()) {
    if (input.name() == name) return input.mutable_type()->mutable_tensor_type();
  }
  throw InternalError("an input that the model does not have");
}

// The shapes, with the height and width that the model states itself.
ShapeBindings as_stated(const onnx::ModelProto& model, ShapeBindings shapes) {
  for (const auto& input : model.graph().input()) {
    const auto bound = shapes.find(input.name());
    const auto& stated = input.type().tensor_type().shape();
    if (bound == shapes.end() || bound->second.size() != 4 || stated.dim_size() != 4) continue;
    for (int axis : {2, 3}) {
      if (stated.dim(axis).has_dim_value())
        bound->second[static_cast<size_t>(axis)] = stated.dim(axis).dim_value();
    }
  }
  return shapes;
}

void state_size(onnx::ModelProto& model, const Graph& whole, const InputSize& size) {
  const Value& input = whole.value(whole.inputs[0]);
  auto& shape = *tensor_of_input(model, input.name)->mutable_shape();
  shape.clear_dim();
  for (int64_t dim : {input.type.shape[0], input.type.shape[1], int64_t{size.height}, int64_t{size.width}})
    shape.add_dim()->set_dim_value(dim);
}

bool has_size(const Graph& graph, const InputSize& size) {
  const Shape& shape = graph.shape(graph.inputs[0]);
  return shape.size() == 4 && shape[2] == size.height && shape[3] == size.width;
}

// The pools that cover the whole map become operators that say so.
void make_pools_global(onnx::ModelProto& model, const Graph& whole) {
  std::set<std::string> outputs;
  for (const Node& node : whole.nodes) {
    if (pools_whole_map(whole, node)) outputs.insert(whole.value(node.outputs[0]).name);
  }
  for (auto& node : *model.mutable_graph()->mutable_node()) {
    const bool pools = node.op_type() == "AveragePool" || node.op_type() == "MaxPool";
    if (!pools || !outputs.contains(node.output(0))) continue;
    node.set_op_type("Global" + node.op_type());
    node.clear_attribute();
  }
}

void check_outputs(const Graph& whole, const Graph& resized) {
  for (size_t i = 0; i < whole.outputs.size(); ++i) {
    const Value& before = whole.value(whole.outputs[i]);
    const Value& after = resized.value(resized.outputs[i]);
    if (before.type == after.type) continue;
    const Uses uses(resized);
    const int maker = uses.producer[static_cast<size_t>(resized.outputs[i])];
    throw CompileError(fmt::format("output '{}', made by node '{}', would be {} instead of {}", after.name,
                                   maker < 0 ? after.name : resized.nodes[static_cast<size_t>(maker)].name,
                                   to_string(after.type), to_string(before.type)));
  }
}

}  // namespace

bool pools_whole_map(const Graph& graph, const Node& node) {
  if (node.code != OpCode::kAveragePool2d && node.code != OpCode::kMaxPool2d) return false;
  const auto& pool = node.attrs<plan::Pool2dT>();
  const Shape& map = graph.shape(node.inputs[0]);
  return pool.kernel_h == map[2] && pool.kernel_w == map[3] && pool.dilation_h == 1 && pool.dilation_w == 1 &&
         pool.pad_top + pool.pad_bottom + pool.pad_left + pool.pad_right == 0;
}

void check_resizable(const Graph& graph) {
  if (graph.inputs.size() != 1)
    throw CompileError(fmt::format("the model has {} inputs; one image is needed", graph.inputs.size()));
  const Value& input = graph.value(graph.inputs[0]);
  if (input.type.dtype != DType::kFloat32 || input.type.shape.size() != 4)
    throw CompileError(
        fmt::format("input '{}' is {}; float32 [N,C,H,W] is needed", input.name, to_string(input.type)));
}

Graph load_model(const std::string& path, const CompileOptions& options, const Evaluator& evaluate) {
  if (options.input_size.is_own()) return load_onnx(path, options.shapes, evaluate);
  onnx::ModelProto model = read_onnx(path);
  Graph whole = import_onnx(model, path, as_stated(model, options.shapes), evaluate);
  if (has_size(whole, options.input_size)) return whole;
  check_resizable(whole);
  state_size(model, whole, options.input_size);
  make_pools_global(model, whole);
  Graph resized = import_onnx(model, path, {}, evaluate);
  check_outputs(whole, resized);
  return resized;
}

}  // namespace bantam::compiler
