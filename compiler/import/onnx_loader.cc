#include "import/onnx_loader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "bantam/compiler/error.h"
#include "import/onnx_tensor.h"
#include "onnx/onnx.pb.h"
#include "ops/op_def.h"

namespace bantam::compiler {
namespace {

using ShapeBindings = std::map<std::string, std::vector<int64_t>>;

class Loader {
 public:
  Loader(const onnx::ModelProto& model, std::filesystem::path directory, const ShapeBindings& shapes,
         const Evaluator& evaluate)
      : model_(model), directory_(std::move(directory)), shapes_(shapes), evaluate_(evaluate) {}

  Graph load() {
    opset_ = check_opset();
    graph_.name = model_.graph().name();
    refuse_unknown_operators();
    add_initializers();
    add_inputs();
    for (const auto& node : model_.graph().node()) import(node);
    add_outputs();
    return std::move(graph_);
  }

 private:
  int check_opset() const {
    for (const auto& import : model_.opset_import()) {
      if (!import.domain().empty() && import.domain() != "ai.onnx") continue;
      if (import.version() < kMinOpset || import.version() > kMaxOpset) {
        throw CompileError(fmt::format("the model uses ONNX opset {}; bantam reads {} to {}: convert it first",
                                       import.version(), kMinOpset, kMaxOpset));
      }
      return static_cast<int>(import.version());
    }
    throw CompileError("the model states no ONNX opset (opset_import is empty)");
  }

  // All at once, so that a user learns the whole distance in one go.
  void refuse_unknown_operators() const {
    std::vector<std::string> unknown;
    for (const auto& node : model_.graph().node()) {
      if (find_onnx_op(node.op_type(), node.domain()) != nullptr) continue;
      const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
      const std::string& label = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
      const std::string type = standard ? node.op_type() : node.domain() + "." + node.op_type();
      if (unknown.size() < 5) unknown.push_back(fmt::format("{} (node '{}')", type, label));
    }
    if (unknown.empty()) return;
    const auto names = [](std::span<const OnnxOp> ops) {
      std::vector<std::string_view> list;
      for (const OnnxOp& op : ops) list.push_back(op.type);
      return fmt::format("{}", fmt::join(list, " "));
    };
    throw CompileError(fmt::format("operators that bantam does not have: {}; it has: {}; of {}: {}",
                                   fmt::join(unknown, ", "), names(all_onnx_ops()), kMicrosoft,
                                   names(all_onnx_ops(kMicrosoft))));
  }

  void define(const std::string& name, ValueId id) {
    if (!name.empty() && !names_.emplace(name, id).second) {
      throw CompileError(fmt::format("the model defines '{}' twice", name));
    }
  }

  void add_initializers() {
    if (model_.graph().sparse_initializer_size() > 0) throw CompileError("sparse initializers are not supported");
    for (const auto& tensor : model_.graph().initializer()) {
      define(tensor.name(), graph_.add_constant(tensor.name(), tensor_from_onnx(tensor, directory_)));
    }
  }

  void add_inputs() {
    for (const auto& [name, shape] : shapes_) check_binding(name);
    for (const auto& input : model_.graph().input()) {
      if (names_.contains(input.name())) continue;   // an initializer's default is kept (IR version < 4 lists them)
      const ValueId id = graph_.add_value(input.name(), input_type(input));
      define(input.name(), id);
      graph_.inputs.push_back(id);
    }
    if (graph_.inputs.empty()) throw CompileError("the model has no inputs: there is nothing to run on a board");
  }

  void check_binding(const std::string& name) const {
    std::vector<std::string> inputs;
    for (const auto& input : model_.graph().input()) {
      if (input.name() == name) return;
      if (!names_.contains(input.name())) inputs.push_back(input.name());
    }
    throw CompileError(fmt::format("--shape names '{}', which is no input of the model; its inputs: {}", name,
                                   fmt::join(inputs, ", ")));
  }

  TensorType input_type(const onnx::ValueInfoProto& input) const {
    if (!input.type().has_tensor_type()) {
      throw CompileError(fmt::format("input '{}' is no tensor (sequences, maps and optionals are not supported)",
                                     input.name()));
    }
    const auto& tensor = input.type().tensor_type();
    const std::optional<DType> dtype = dtype_from_onnx(tensor.elem_type());
    if (!dtype) {
      throw CompileError(fmt::format("input '{}' has element type {}, which is not supported", input.name(),
                                     onnx_type_name(tensor.elem_type())));
    }
    return {*dtype, bound_shape(input.name(), tensor)};
  }

  Shape bound_shape(const std::string& name, const onnx::TypeProto_Tensor& tensor) const {
    const auto binding = shapes_.find(name);
    if (!tensor.has_shape()) {
      if (binding == shapes_.end()) {
        throw CompileError(fmt::format("input '{}' has no shape; give one with --shape {}=...", name, name));
      }
      return binding->second;
    }
    Shape shape;
    for (int i = 0; i < tensor.shape().dim_size(); ++i) {
      const auto& dim = tensor.shape().dim(i);
      shape.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
    }
    if (binding != shapes_.end()) return merge_binding(name, shape, binding->second);
    if (!shape.empty() && shape[0] < 1) shape[0] = 1;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] < 1) {
        throw CompileError(fmt::format("input '{}' has a free dimension {}; bind all with --shape {}=...", name, i, name));
      }
    }
    check_size(name, shape);
    return shape;
  }

  static Shape merge_binding(const std::string& name, const Shape& stated, const Shape& bound) {
    bool fits = stated.size() == bound.size();
    for (size_t i = 0; fits && i < stated.size(); ++i) fits = stated[i] < 1 || stated[i] == bound[i];
    if (!fits) {
      throw CompileError(fmt::format("--shape {}={} contradicts the model, which states {} (-1: free)", name,
                                     to_string(bound), fmt::join(stated, "x")));
    }
    check_size(name, bound);
    return bound;
  }

  static void check_size(const std::string& name, const Shape& shape) {
    if (shape.size() > 8) throw CompileError(fmt::format("input '{}' has more than 8 dimensions", name));
    int64_t elements = 1;
    for (int64_t dim : shape) {
      elements = dim < 1 || dim > INT32_MAX ? INT64_MAX : elements * dim;
      if (elements > INT32_MAX) throw CompileError(fmt::format("input '{}' has a shape out of range", name));
    }
  }

  void import(const onnx::NodeProto& proto) {
    std::vector<ValueId> inputs;
    for (const std::string& name : proto.input()) {
      if (name.empty()) {
        inputs.push_back(kNoValue);
        continue;
      }
      const auto found = names_.find(name);
      if (found == names_.end()) {
        const auto missing = not_computed_.find(name);
        throw CompileError(
            missing != not_computed_.end()
                ? fmt::format("{} reads '{}', an output that bantam does not compute", missing->second, name)
                : fmt::format("{} node '{}' reads '{}', which nothing before it makes", proto.op_type(), proto.name(), name));
      }
      inputs.push_back(found->second);
    }
    const OnnxOp& op = *find_onnx_op(proto.op_type(), proto.domain());
    NodeImporter importer(graph_, proto, opset_, std::move(inputs), evaluate_);
    const std::optional<Stored> stored = stored_inputs(importer, op.stored);
    op.import(importer);
    importer.check_attributes_read();
    for (const ValueId id : importer.outputs()) {
      if (stored && id != kNoValue && !graph_.is_constant(id)) graph_.value(id).stored = stored;
    }
    for (int i = 0; i < proto.output_size(); ++i) {
      if (proto.output(i).empty()) continue;
      const size_t index = static_cast<size_t>(i);
      if (index >= importer.outputs().size() || importer.outputs()[index] == kNoValue) {
        not_computed_[proto.output(i)] = fmt::format("the graph after {} node '{}'", proto.op_type(), importer.name());
        continue;
      }
      const ValueId id = importer.outputs()[index];
      define(proto.output(i), id);
      if (graph_.value(id).constant == nullptr && !is_input(id)) graph_.value(id).name = proto.output(i);
    }
  }

  // How the model stores the inputs of an operator that moves elements; fails for one that would calculate with
  // integers that stand for real numbers.
  std::optional<Stored> stored_inputs(const NodeImporter& importer, StoredRule rule) const {
    std::optional<Stored> found;
    bool alike = true;
    for (int i = 0; i < importer.input_count() && rule != StoredRule::kReads; ++i) {
      const std::optional<Stored> stored =
          importer.has_input(i) ? importer.stored_of(importer.input(i)) : std::nullopt;
      if (!stored) continue;
      if (rule == StoredRule::kRefuses) {
        importer.fail(fmt::format("it calculates with the quantized tensor '{}'; put a DequantizeLinear between them",
                                  importer.name_of(importer.input(i))));
      }
      alike = alike && (!found || *found == *stored);
      found = stored;
    }
    if (!alike) importer.fail("its inputs are quantized tensors of different scales");
    return found;
  }

  bool is_input(ValueId id) const {
    return std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
  }

  // An output that is an input, a constant or another output gets a value of its own: outputs are buffers
  // that the caller may own.
  void add_outputs() {
    for (const auto& output : model_.graph().output()) {
      const auto found = names_.find(output.name());
      if (found == names_.end()) {
        throw CompileError(fmt::format("the model's output '{}' is made by no node", output.name()));
      }
      ValueId id = found->second;
      if (element_count(graph_.shape(id)) == 0) {
        throw CompileError(fmt::format("the model's output '{}' has no elements ({})", output.name(),
                                       to_string(graph_.value(id).type)));
      }
      if (graph_.value(id).stored) id = integers_of(id);
      if (is_input(id) || graph_.is_constant(id) || graph_.is_output(id)) id = copy_of(id);
      graph_.value(id).name = output.name();
      graph_.outputs.push_back(id);
    }
    if (graph_.outputs.empty()) throw CompileError("the model has no outputs");
  }

  ValueId add(OpCode code, ValueId input, DType dtype, std::optional<Quantization> quantization = std::nullopt) {
    const std::string name = graph_.value(input).name;
    const ValueId id = graph_.add_value(name, {dtype, graph_.shape(input)});
    graph_.value(id).quantization = std::move(quantization);
    graph_.nodes.push_back({code, name, {input}, {id}, {}});
    return id;
  }

  // The integers of a quantized tensor, as the model has them.
  ValueId integers_of(ValueId id) {
    const Stored stored = *graph_.value(id).stored;
    if (stored.scale == 1 && stored.zero_point == 0) return add(OpCode::kCast, id, stored.dtype);
    const int32_t shift = stored.dtype == DType::kUInt8 ? 128 : 0;
    const ValueId q = add(OpCode::kQuantize, id, DType::kInt8, Quantization{{stored.scale}, stored.zero_point - shift});
    if (stored.dtype == DType::kInt8) return q;
    const ValueId numbers = add(OpCode::kCopy, q, DType::kInt8, Quantization{{1.0f}, -shift});
    return add(OpCode::kCast, add(OpCode::kDequantize, numbers, DType::kFloat32), stored.dtype);
  }

  ValueId copy_of(ValueId id) {
    const ValueId copy = graph_.add_value(graph_.value(id).name, graph_.value(id).type);
    graph_.nodes.push_back({OpCode::kCopy, "copy of " + graph_.value(id).name, {id}, {copy}, {}});
    return copy;
  }

  const onnx::ModelProto& model_;
  std::filesystem::path directory_;
  const ShapeBindings& shapes_;
  const Evaluator& evaluate_;
  int opset_ = 0;
  Graph graph_;
  std::unordered_map<std::string, ValueId> names_;
  std::unordered_map<std::string, std::string> not_computed_;   // optional outputs, and where they would be
};

}  // namespace

onnx::ModelProto read_onnx(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw CompileError(fmt::format("{}: is a folder, not an ONNX file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw CompileError(fmt::format("{}: cannot be opened; check the path", path));
  onnx::ModelProto model;
  if (!model.ParseFromIstream(&file) || !model.has_graph()) {
    throw CompileError(fmt::format("{}: is not an ONNX model, or a truncated or damaged one", path));
  }
  return model;
}

Graph import_onnx(const onnx::ModelProto& model, const std::string& path, const ShapeBindings& shapes,
                  const Evaluator& evaluate) {
  try {
    return Loader(model, std::filesystem::path(path).parent_path().empty()
                             ? std::filesystem::path(".")
                             : std::filesystem::path(path).parent_path(),
                  shapes, evaluate)
        .load();
  } catch (const CompileError& error) {
    throw CompileError(fmt::format("{}: {}", path, error.what()));
  }
}

Graph load_onnx(const std::string& path, const ShapeBindings& shapes, const Evaluator& evaluate) {
  return import_onnx(read_onnx(path), path, shapes, evaluate);
}

}  // namespace bantam::compiler
