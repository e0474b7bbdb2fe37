#include "ir/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "bantam/compiler/error.h"

namespace bantam::compiler {

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (__builtin_mul_overflow(count, dim, &count)) return std::numeric_limits<int64_t>::max();
  }
  return count;
}

size_t element_size(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kInt64:
      return 8;
    case DType::kFloat16:
      return 2;
    case DType::kInt8:
    case DType::kUInt8:
    case DType::kBool:
      return 1;
  }
  throw InternalError(fmt::format("element type {} does not exist", static_cast<int>(dtype)));
}

const char* dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat16:
      return "float16";
    case DType::kInt8:
      return "int8";
    case DType::kUInt8:
      return "uint8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kBool:
      return "bool";
  }
  return "unknown";
}

std::string to_string(const Shape& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

std::string to_string(const TensorType& type) {
  return fmt::format("{}[{}]", dtype_name(type.dtype), to_string(type.shape));
}

Tensor::Tensor(TensorType t)
    : type(std::move(t)), bytes(static_cast<size_t>(element_count(type.shape)) * element_size(type.dtype)) {}

void Tensor::check_dtype(DType expected) const {
  if (type.dtype != expected) {
    throw InternalError(fmt::format("{} data read as {}", dtype_name(type.dtype), dtype_name(expected)));
  }
}

std::vector<int64_t> Tensor::to_int64() const {
  const auto widen = [](const auto& values) { return std::vector<int64_t>(values.begin(), values.end()); };
  switch (type.dtype) {
    case DType::kInt64:
      return widen(as<int64_t>());
    case DType::kInt32:
      return widen(as<int32_t>());
    default:
      return widen(as<bool>());
  }
}

std::vector<float> Tensor::to_float() const {
  const std::span<const float> values = as<float>();
  return {values.begin(), values.end()};
}

ValueId Graph::add_value(std::string value_name, TensorType type) {
  values.emplace_back();
  values.back().name = std::move(value_name);
  values.back().type = std::move(type);
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  const ValueId id = add_value(std::move(value_name), tensor.type);
  value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
  return id;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

bool Graph::is_output(ValueId id) const {
  return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
}

void Graph::note(const std::string& node, std::string text) {
  plan::NoteT entry;
  entry.node = node;
  entry.text = std::move(text);
  notes.push_back(std::move(entry));
}

void Graph::note_fusion(const std::string& node, std::string text) {
  const auto same = [&](const plan::NoteT& known) { return known.node == node && known.text == text; };
  if (std::any_of(fusions.begin(), fusions.end(), same)) return;
  plan::NoteT entry;
  entry.node = node;
  entry.text = std::move(text);
  fusions.push_back(std::move(entry));
}

Tensor permuted(const Tensor& tensor, const std::vector<int>& perm) {
  const size_t rank = perm.size();
  if (rank != tensor.type.shape.size()) throw InternalError("permutation of another rank");
  Shape shape(rank);
  std::vector<int64_t> strides(rank, 1);
  for (size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * tensor.type.shape[i];
  std::vector<int64_t> steps(rank);
  for (size_t i = 0; i < rank; ++i) {
    shape[i] = tensor.type.shape[static_cast<size_t>(perm[i])];
    steps[i] = strides[static_cast<size_t>(perm[i])];
  }
  Tensor result(TensorType{tensor.type.dtype, shape});
  const size_t size = element_size(tensor.type.dtype);
  const int64_t count = tensor.elements();
  std::vector<int64_t> index(rank, 0);
  int64_t source = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(result.bytes.data() + static_cast<size_t>(i) * size,
                tensor.bytes.data() + static_cast<size_t>(source) * size, size);
    for (size_t axis = rank; axis-- > 0;) {
      source += steps[axis];
      if (++index[axis] < shape[axis]) break;
      source -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  if (tensor.steps) {
    const auto axis = std::find(perm.begin(), perm.end(), tensor.steps->axis) - perm.begin();
    result.steps = std::make_shared<Steps>(Steps{tensor.steps->sizes, static_cast<int>(axis)});
  }
  return result;
}

namespace {

// The axis of `to` that holds what axis `axis` of `from` does; -1 when there is none.
int same_axis(const Shape& from, int axis, const Shape& to) {
  const auto before = [](const Shape& shape, size_t end) {
    return element_count({shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(end)});
  };
  const auto wanted = static_cast<size_t>(axis);
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] == from[wanted] && before(to, i) == before(from, wanted)) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

Tensor reshaped(Tensor tensor, const Shape& shape) {
  if (tensor.steps && tensor.steps->sizes.size() > 1) {
    const int axis = same_axis(tensor.type.shape, tensor.steps->axis, shape);
    tensor.steps = axis < 0 ? nullptr : std::make_shared<const Steps>(Steps{tensor.steps->sizes, axis});
  }
  tensor.type.shape = shape;
  return tensor;
}

Uses::Uses(const Graph& graph) : producer(graph.values.size(), -1), readers(graph.values.size()) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    for (ValueId id : node.inputs) {
      if (id != kNoValue) readers[static_cast<size_t>(id)].push_back(static_cast<int>(i));
    }
    for (ValueId id : node.outputs) producer[static_cast<size_t>(id)] = static_cast<int>(i);
  }
}

int Uses::sole_reader(const Graph& graph, ValueId id) const {
  const std::vector<int>& nodes = readers[static_cast<size_t>(id)];
  return nodes.size() == 1 && !graph.is_output(id) ? nodes[0] : -1;
}

}  // namespace bantam::compiler
